// What the fuzz targets of the edge share: a head that arrives in pieces, a body on its way, and what a
// second parser makes of it.
#pragma once

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "edge/body.h"
#include "input.h"
#include "wire/http1.h"

namespace skiff::fuzz {

inline constexpr size_t kRead = 4096;  // bytes that a worker takes at once

// A head of which more and more has come, up to `next(size)` bytes each time: every look is only at what is
// new. `parse(bytes, scanned)` reads it.
template <typename Next, typename ParseHead>
edge::Parse parse_as_it_comes(std::string_view bytes, const Next& next, const ParseHead& parse) {
  size_t scanned = 0, size = std::min(next(0), bytes.size());
  for (;;) {
    const auto result = parse(bytes.substr(0, size), scanned);
    if (result != edge::Parse::kIncomplete || size == bytes.size()) return result;
    scanned = size;
    size = std::min(next(size), bytes.size());
  }
}

// In a few pieces, cut anywhere.
template <typename ParseHead>
edge::Parse parse_in_pieces(std::string_view bytes, const ParseHead& parse) {
  return parse_as_it_comes(bytes, [](size_t size) { return size + 1 + size / 4; }, parse);
}

// As a worker reads.
template <typename ParseHead>
edge::Parse parse_in_reads(std::string_view bytes, const ParseHead& parse) {
  return parse_as_it_comes(bytes, [](size_t size) { return size + kRead; }, parse);
}

// Takes the body from the front of `bytes` as a worker does; false when it is none.
inline bool pass_body(edge::Body& body, std::string_view& bytes) {
  std::string buffer;
  while (!body.done() && !bytes.empty()) {
    const auto piece = body.consume(bytes.substr(0, kRead), buffer);
    if (!piece) return false;
    bytes.remove_prefix(piece->used);
  }
  return true;
}

struct Framed {
  enum class End : uint8_t { kDone, kMore, kBad } end;
  size_t used;
  std::string out;
  // Wherever the bytes were cut; the digits of a size keep their capitals only when they came in one piece.
  bool operator==(const Framed& other) const {
    return end == other.end && used == other.used && equals_ignore_case(out, other.out);
  }
};

inline Framed take_body(const edge::Head& head, std::string_view bytes, size_t step, edge::Reading reading,
                        edge::Form form) {
  edge::Body body;
  body.start(head.framing, head.length, reading, form);
  size_t used = 0;
  std::string out, buffer;
  while (!body.done() && used < bytes.size()) {
    const auto piece = body.consume(bytes.substr(used, step), buffer);
    if (!piece) return {Framed::End::kBad, 0, ""};
    used += piece->used;
    out += piece->out;
  }
  return {body.done() ? Framed::End::kDone : Framed::End::kMore, used, out};
}

// The lines between the last chunk and the end.
inline void check_trailers(std::string_view trailers) {
  while (trailers != "\r\n") {
    const size_t end = trailers.find("\r\n");
    require(end != std::string_view::npos && end > 0);
    const auto name = trailers.substr(0, trailers.find(':'));
    require(wire::is_token(name) && edge::trailer_passes(name));
    trailers.remove_prefix(end + 2);
  }
}

// A chunked body that went on is one body to the next reader, ends where it should, hides nothing in its
// trailers, and is in its plainest form. Gives its content.
inline std::string check_chunks(std::string_view out) {
  wire::BodyDecoder decoder({wire::BodyKind::kChunked, 0});
  std::string content, buffer;
  const auto used = decoder.decode(out, content);
  require(used && *used == out.size() && decoder.done());
  edge::Body again;
  again.start(edge::Framing::kChunked, 0);
  const auto same = again.consume(out, buffer);
  require(same && same->used == out.size() && same->out == out && again.done());
  size_t at = 0;
  for (;;) {
    const size_t size = std::stoul(std::string(out.substr(at, 16)), nullptr, 16);
    at = out.find("\r\n", at) + 2;
    if (size == 0) break;
    at += size + 2;
  }
  check_trailers(out.substr(at));
  return content;
}

}  // namespace skiff::fuzz
