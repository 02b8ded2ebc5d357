// Any bytes on a client's connection: no crash, one reading however they are cut, and what is sent to the pod
// reads the same to a second parser (wire's): no request hides in another, no field of the edge is forged.
#include <string>

#include "edge/body.h"
#include "edge/forward.h"
#include "input.h"
#include "wire/http1.h"

namespace {

using namespace skiff;

constexpr std::string_view kId = "0f8fad5b-d9cb-469f-a165-70867728950e";

size_t occurrences(std::string_view text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

// As bytes arrive: each read looks only at what is new.
edge::Parse parse_in_pieces(std::string_view bytes, edge::RequestHead& head) {
  size_t scanned = 0;
  for (size_t size = 1; size < bytes.size(); size += 1 + size / 4) {
    const auto result = edge::parse_request(bytes.substr(0, size), scanned, head);
    if (result != edge::Parse::kIncomplete) return result;
    scanned = size;
  }
  return edge::parse_request(bytes, scanned, head);
}

struct Framed {
  enum class End : uint8_t { kDone, kMore, kBad } end;
  size_t used;
  bool operator==(const Framed&) const = default;
};

Framed take_body(const edge::RequestHead& head, std::string_view bytes, size_t step) {
  edge::Body body;
  body.start(head.framing, head.length);
  size_t used = 0;
  while (!body.done() && used < bytes.size()) {
    const auto piece = body.consume(bytes.substr(used, step));
    if (!piece) return {Framed::End::kBad, 0};
    used += *piece;
  }
  return {body.done() ? Framed::End::kDone : Framed::End::kMore, used};
}

// The pod's reading of the head that the edge sends on.
void check_forwarded(const edge::RequestHead& head, const std::string& forwarded) {
  edge::RequestHead again;
  if (forwarded.size() <= edge::kMaxHeadBytes && head.count + 8 < edge::kMaxFields) {
    fuzz::require(edge::parse_request(forwarded, 0, again) == edge::Parse::kComplete);
    fuzz::require(again.bytes == forwarded.size());
    fuzz::require(again.method == head.method && again.target == head.target && again.host == head.host);
    fuzz::require(again.framing == head.framing && again.length == head.length);
    fuzz::require(again.upgrade == head.upgrade && again.request_id == kId);
  }
  for (const auto* once :
       {"\r\nX-Request-Start: ", "\r\nX-Forwarded-For: ", "\r\nX-Request-Id: ", "\r\nHost: "}) {
    fuzz::require(occurrences(forwarded, once) == 1);
  }
  const auto second = wire::parse_request_head(forwarded);
  if (!second) return;
  const bool chunked = second->body.kind == wire::BodyKind::kChunked;
  fuzz::require(chunked == (head.framing == edge::Framing::kChunked));
  if (!chunked) fuzz::require(second->body.length == head.length);
}

void check_body(const edge::RequestHead& head, std::string_view rest) {
  const Framed whole = take_body(head, rest, rest.size() + 1);
  fuzz::require(take_body(head, rest, 1) == whole);
  if (head.framing != edge::Framing::kChunked || whole.end != Framed::End::kDone) return;
  // What the edge lets through as one body is one body to the pod, too.
  wire::BodyDecoder decoder({wire::BodyKind::kChunked, 0});
  std::string content;
  const auto used = decoder.decode(rest.substr(0, whole.used), content);
  if (used) fuzz::require(*used == whole.used && decoder.done());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  edge::RequestHead head, pieces;
  const auto result = edge::parse_request(bytes, 0, head);
  const auto in_pieces = parse_in_pieces(bytes, pieces);
  // Bad bytes may be refused before all of them are there.
  if (result != edge::Parse::kBad) fuzz::require(in_pieces == result);
  edge::ResponseHead response;
  if (edge::parse_response(bytes, false, response) == edge::Parse::kComplete) {
    std::string out;
    edge::append_response(response, edge::After::kKeepAlive, out);
  }
  if (result != edge::Parse::kComplete) return 0;
  std::string forwarded;
  edge::append_request(head, {.client_ip = "192.0.2.1", .request_id = kId, .port = "80"}, forwarded);
  check_forwarded(head, forwarded);
  check_body(head, bytes.substr(head.bytes));
  return 0;
}
