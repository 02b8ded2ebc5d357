// Heads of HTTP/1.1 messages, parsed in place (RFC 9112). Strict: what two parsers could read in two ways is
// refused, so that no request can be smuggled past the edge. Views point into the parsed bytes. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "edge/limits.h"

namespace skiff::edge {

struct Field {
  std::string_view name, value;
};

enum class Parse { kComplete, kIncomplete, kBad };
enum class Framing { kNone, kLength, kChunked, kUntilClose };

struct Head {
  size_t bytes = 0;  // of the head with its empty line
  size_t count = 0;
  std::array<Field, kMaxFields> fields;
  int minor = 1;  // HTTP/1.<minor>
  Framing framing = Framing::kNone;
  uint64_t length = 0;
  bool keep_alive = true;
  bool upgrade = false;  // "Connection: upgrade" with an Upgrade field that the
                         // edge lets through
  // What Connection names besides close, keep-alive and upgrade.
  std::array<std::string_view, kMaxConnectionOptions> options;
  size_t connection_options = 0;
  // Why a head is bad, and the status to answer a request with.
  int error_status = 400;
  std::string_view error;
};

struct RequestHead : Head {
  // The target in origin form, or "*"; without its '/' when the absolute form had a query and no path.
  // The host as sent, with its port.
  std::string_view method, target, host;
  bool expect_continue = false;
  std::string_view request_id;  // X-Request-Id
  std::string_view via;
};

struct ResponseHead : Head {
  int status = 0;
  std::string_view reason;
  bool too_large = false;       // with kBad
  bool restate_length = false;  // Content-Length came more than once or oddly written: send `length` on
  std::string regular;          // the head with its line ends and folds made regular; views may point here
};

// `scanned` bytes were seen before without an end of the head. Of a bad head, what was read before the fault
// is set and the rest is empty.
Parse parse_request(std::string_view data, size_t scanned, RequestHead& out);
// Forgives what does not change where a body ends (see README.md); where another reader could see another
// end, keep_alive is false. `to_head`: the response answers a HEAD request and has no body.
Parse parse_response(std::string_view data, size_t scanned, bool to_head, ResponseHead& out);

}  // namespace skiff::edge
