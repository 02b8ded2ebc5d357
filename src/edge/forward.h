// The heads the edge sends on: hop-by-hop fields gone, what only the edge may say added (RFC 9110 7.6.1).
// Pure.
#pragma once

#include <string>

#include "base/random.h"
#include "edge/chunks.h"
#include "edge/head.h"

namespace skiff::edge {

struct ForwardFacts {
  std::string_view client_ip;  // or the chain of addresses that a trusted proxy tells
  std::string_view request_id;
  std::string_view port;
  bool tls = false;
  int64_t start_ms = 0;  // since 1970
  // What a trusted proxy tells besides: X-Forwarded-Host, Forwarded. "": not sent.
  std::string_view host = {}, forwarded = {};
  // For the platform alone: see platform_door.h. "": not sent.
  std::string_view visitor = {};
};
// Appends the request head for the pod. Fields that a client could forge are replaced.
void append_request(const RequestHead& head, const ForwardFacts& facts, std::string& out);

// The target as a path; see RequestHead::target.
void append_target(std::string_view target, std::string& out);

enum class After { kKeepAlive, kClose };
// `form`: in which the body will follow.
void append_response(const ResponseHead& head, After after, Form form, std::string& out);

// A client's id is kept when it has 20 to 200 characters of letters, digits and "-_+/=.".
bool acceptable_request_id(std::string_view id);
// A version 4 UUID (RFC 9562), as base's make_uuid() but in memory that is used again: each request needs
// one.
void assign_request_id(Random& random, std::string& out);

}  // namespace skiff::edge
