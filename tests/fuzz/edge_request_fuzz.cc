// Any bytes on a client's connection: no crash, one reading however they are cut, and what is sent to the pod
// reads the same to a second parser (wire's): no request hides in another, no field of the edge is forged.
#include <algorithm>
#include <string>

#include "edge/forward.h"
#include "edge_body.h"
#include "input.h"
#include "pace.h"
#include "wire/http1.h"

namespace {

using namespace skiff;

constexpr std::string_view kId = "0f8fad5b-d9cb-469f-a165-70867728950e";

size_t occurrences(std::string_view text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

// The pod's reading of the head that the edge sends on.
void check_forwarded(const edge::RequestHead& head, const std::string& forwarded) {
  edge::RequestHead again;
  if (forwarded.size() <= edge::kMaxHeadBytes && head.count + 8 < edge::kMaxFields) {
    fuzz::require(edge::parse_request(forwarded, 0, again) == edge::Parse::kComplete);
    fuzz::require(again.bytes == forwarded.size());
    std::string target;
    edge::append_target(head.target, target);
    fuzz::require(again.method == head.method && again.target == target && again.host == head.host);
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
  const auto take = [&](size_t step) {
    return fuzz::take_body(head, rest, step, edge::Reading::kStrict, edge::Form::kChunks);
  };
  const fuzz::Framed whole = take(rest.size() + 1);
  fuzz::require(take(1) == whole && take(7) == whole);
  if (whole.end != fuzz::Framed::End::kDone) return;
  if (head.framing != edge::Framing::kChunked) return fuzz::require(whole.out == rest.substr(0, whole.used));
  const std::string content = fuzz::check_chunks(whole.out);
  // A strict reader takes nothing that the second parser reads otherwise.
  wire::BodyDecoder decoder({wire::BodyKind::kChunked, 0});
  std::string second;
  const auto used = decoder.decode(rest.substr(0, whole.used), second);
  if (used) fuzz::require(*used == whole.used && decoder.done() && second == content);
}

// One request after the other, each read of a few kilobytes, as a worker does it.
void serve_connection(std::string_view bytes) {
  edge::RequestHead head;
  const auto parse = [&](std::string_view come, size_t scanned) {
    return edge::parse_request(come, scanned, head);
  };
  std::string out;
  while (!bytes.empty()) {
    if (fuzz::parse_in_reads(bytes, parse) != edge::Parse::kComplete) return;
    out.clear();
    edge::append_request(head, {.client_ip = "192.0.2.1", .request_id = kId, .port = "80"}, out);
    bytes.remove_prefix(head.bytes);
    edge::Body body;
    body.start(head.framing, head.length);
    if (!fuzz::pass_body(body, bytes)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  edge::RequestHead head, pieces;
  const auto result = edge::parse_request(bytes, 0, head);
  const auto in_pieces = fuzz::parse_in_pieces(bytes, [&](std::string_view come, size_t scanned) {
    return edge::parse_request(come, scanned, pieces);
  });
  // Bad bytes may be refused before all of them are there.
  if (result != edge::Parse::kBad) fuzz::require(in_pieces == result);
  fuzz::require_pace(bytes, serve_connection);
  if (result != edge::Parse::kComplete) return 0;
  std::string forwarded;
  edge::append_request(head, {.client_ip = "192.0.2.1", .request_id = kId, .port = "80"}, forwarded);
  check_forwarded(head, forwarded);
  check_body(head, bytes.substr(head.bytes));
  return 0;
}
