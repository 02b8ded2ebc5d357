// What a request is answered: from a parsed request and the client's address to the bytes of a response.
//
// Pure functions, no I/O; answers follow api.ipify.org: text by default, ?format=json, ?format=jsonp with an
// optional &callback=name. The callback is the only input that comes back in an answer, so it is held to a
// strict shape.
#pragma once

#include <string>
#include <string_view>

#include "http_parser.h"

namespace ipify {

struct Answer {
  Status status = Status::kOk;
  std::string_view content_type = "text/plain";
  std::string body = {};
};

// `address` is the client's, in its canonical text.
Answer answer_for(const Request& request, std::string_view address);
// A sentence for the person at the other end, as plain text.
Answer answer_for(const Refusal& refusal);

// A dotted path of JavaScript identifiers, ASCII only, of at most kMaxCallbackChars: "f", "app.on_ip", "$".
bool is_callback(std::string_view text);

enum class BodyBytes { kSend, kOmit };
// kKeepUnasked is HTTP/1.1's silence; an HTTP/1.0 client must be told that its wish was heard.
enum class ConnectionHeader { kKeepUnasked, kKeepAsked, kClose };

struct Envelope {
  ConnectionHeader connection = ConnectionHeader::kKeepUnasked;
  BodyBytes body = BodyBytes::kSend;
  // Whole header lines that every response carries: see common_headers.
  std::string_view common_headers = {};
};

// The lines that change only with the clock. `date` is an IMF-fixdate (RFC 9110, section 5.6.7).
std::string common_headers(std::string_view date);

// Appends the response as it goes over the wire.
void append_response(const Answer& answer, const Envelope& envelope, std::string& out);

}  // namespace ipify
