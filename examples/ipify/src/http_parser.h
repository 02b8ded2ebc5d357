// The head of an HTTP/1.x request: bytes to value, without copying.
//
// Strict on purpose: whatever two servers could read differently (bare line feeds, folded lines, two lengths,
// a length beside a transfer coding, space before a colon) is refused, so nothing can be smuggled past the
// edge to here. Pure functions; a Request's views point into the bytes it was parsed from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "bounds.h"

namespace ipify {

enum class Status {
  kOk = 200,
  kBadRequest = 400,
  kNotFound = 404,
  kMethodNotAllowed = 405,
  kRequestTimeout = 408,
  kUriTooLong = 414,
  kHeadersTooLarge = 431,
  kVersionNotSupported = 505,
};

// A request that gets no answer but an error, after which its connection ends.
struct Refusal {
  Status status;
  std::string_view why;  // static text for the person who sent it
};

enum class Method { kGet, kHead, kOther };

struct Request {
  Method method = Method::kOther;
  std::string_view target;
  bool http_1_0 = false;
  // What the client wants; the server may still close.
  bool keep_alive = true;
  // Has a Transfer-Encoding, so the body's end is not known here.
  bool transfer_coded = false;
  bool expects_continue = false;
  std::uint64_t content_length = 0;

  std::span<const std::string_view> forwarded_for() const { return {forwarded_.data(), forwarded_count_}; }

  std::array<std::string_view, kMaxForwardedLines> forwarded_;
  std::size_t forwarded_count_ = 0;
};

struct HeadScan {
  enum class State { kIncomplete, kComplete, kBareLineFeed };
  State state;
  // kComplete: the size of the head with its empty line. Otherwise: where the next scan may go on.
  std::size_t position;
};

// Looks for the empty line that ends a head, from `from` on; `bytes` starts at the request line.
HeadScan find_head_end(std::string_view bytes, std::size_t from);

// `head` is what find_head_end delimited.
std::expected<Request, Refusal> parse_head(std::string_view head);

}  // namespace ipify
