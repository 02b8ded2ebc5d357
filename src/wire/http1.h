// HTTP/1.1 message syntax (RFC 9112): heads, body framing and chunked coding. Pure and incremental.
//
// Strict on purpose: whatever two readers could frame differently (both lengths, folded lines, bare line
// feeds, repeated lengths, sloppy chunk sizes) is refused, so that no request can be smuggled past us inside
// another. Error codes: InvalidArgument is malformed (400), ResourceExhausted is too large (431),
// Unimplemented is a transfer coding or version that we do not speak (501).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace skiff::wire {

using Fields = std::vector<std::pair<std::string, std::string>>;

enum class BodyKind {
  kNone,        // the message ends with its head
  kLength,      // `length` bytes
  kChunked,     // chunked transfer coding
  kUntilClose,  // a response that ends with its connection
};
struct BodyFraming {
  BodyKind kind = BodyKind::kNone;
  uint64_t length = 0;
};

struct RequestHead {
  std::string method;
  std::string target;
  int minor_version = 1;
  Fields fields;
  BodyFraming body;
  bool keep_alive = true;
  bool expects_continue = false;
};
struct ResponseHead {
  int status = 0;
  int minor_version = 1;
  Fields fields;
  BodyFraming body;
  bool keep_alive = true;
};

// Finds the end of a head in bytes that arrive piece by piece; looks at each byte once.
class HeadScanner {
 public:
  explicit HeadScanner(size_t limit) : limit_(limit) {}
  // `received` is all that came so far, starting with the head. The head's length with its empty line, 0
  // while it is incomplete. ResourceExhausted past the limit, InvalidArgument for a bare line feed.
  Result<size_t> scan(std::string_view received);

 private:
  size_t limit_;
  size_t scanned_ = 0;
  size_t line_start_ = 0;
};

// `head` is what HeadScanner found. A target in absolute form becomes its path, and the Host field what it
// names.
Result<RequestHead> parse_request_head(std::string_view head);
// The method of the request decides whether a body follows.
Result<ResponseHead> parse_response_head(std::string_view head, std::string_view request_method);

// Takes a body out of its framing.
class BodyDecoder {
 public:
  explicit BodyDecoder(BodyFraming framing);
  // Appends the body bytes of `input` to `out`; gives how many bytes of `input` it used. What it leaves
  // belongs to the next message once done().
  Result<size_t> decode(std::string_view input, std::string& out);
  bool done() const { return state_ == State::kDone; }
  // The connection ended: an error unless the body may end so.
  Result<void> end_of_input();

 private:
  enum class State {
    kIdentity,    // counted bytes
    kUntilClose,  // whatever comes
    kSize,        // in a chunk-size line
    kData,        // in a chunk
    kDataEnd,     // at the CRLF after a chunk
    kTrailer,     // in trailer lines, which must be fields and are dropped
    kDone,
  };
  Result<void> on_line();
  Result<size_t> take_line(std::string_view input);

  State state_;
  uint64_t remaining_ = 0;
  std::string line_;
  size_t trailer_bytes_ = 0;
};

// "name: value\r\n"; control characters in the value become spaces, so that no value adds a line.
void append_field(std::string& out, std::string_view name, std::string_view value);
// True for what may stand as a method or a field name (RFC 9110 5.6.2).
bool is_token(std::string_view text);
// True for what may stand as a request target: visible ASCII.
bool is_target(std::string_view text);

}  // namespace skiff::wire
