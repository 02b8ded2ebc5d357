// Any bytes on a pod's connection: no crash, one reading however they are cut, and what is forgiven goes on
// in a form that reads the same to a second parser (wire's), as chunks and as content alone.
#include <algorithm>
#include <string>

#include "edge/forward.h"
#include "edge_body.h"
#include "input.h"
#include "pace.h"
#include "wire/http1.h"

namespace {

using namespace skiff;

// The client's reading of the head that it is sent.
void check_forwarded(const edge::ResponseHead& head, bool to_head) {
  std::string out;
  edge::append_response(head, edge::After::kKeepAlive, edge::Form::kChunks, out);
  const auto second = wire::parse_response_head(out, to_head ? "HEAD" : "GET");
  fuzz::require(second.has_value());
  fuzz::require(second->status == head.status);
  fuzz::require((second->body.kind == wire::BodyKind::kChunked) == (head.framing == edge::Framing::kChunked));
  if (head.framing == edge::Framing::kLength) fuzz::require(second->body.length == head.length);
  edge::ResponseHead again;
  if (out.size() > edge::kMaxResponseHead || head.count + 4 > edge::kMaxFields) return;
  fuzz::require(edge::parse_response(out, 0, to_head, again) == edge::Parse::kComplete);
  fuzz::require(again.bytes == out.size() && again.framing == head.framing);
  if (head.framing == edge::Framing::kLength) fuzz::require(again.length == head.length);
  fuzz::require(!again.restate_length && again.regular.empty());
}

void check_body(const edge::ResponseHead& head, std::string_view rest) {
  const auto take = [&](size_t step, edge::Form form) {
    return fuzz::take_body(head, rest, step, edge::Reading::kLenient, form);
  };
  const fuzz::Framed whole = take(rest.size() + 1, edge::Form::kChunks);
  fuzz::require(take(1, edge::Form::kChunks) == whole && take(7, edge::Form::kChunks) == whole);
  const fuzz::Framed content = take(rest.size() + 1, edge::Form::kContent);
  fuzz::require(take(1, edge::Form::kContent) == content);
  fuzz::require(content.end == whole.end && content.used == whole.used);
  if (head.framing != edge::Framing::kChunked || whole.end != fuzz::Framed::End::kDone) return;
  fuzz::require(fuzz::check_chunks(whole.out) == content.out);
  // What a strict reader takes, a lenient one takes in the same way.
  const auto strict = fuzz::take_body(head, rest, 64, edge::Reading::kStrict, edge::Form::kChunks);
  fuzz::require(strict.end == fuzz::Framed::End::kBad || strict == whole);
}

void serve_response(std::string_view bytes) {
  edge::ResponseHead head;
  const auto result = fuzz::parse_in_reads(bytes, [&](std::string_view come, size_t scanned) {
    return edge::parse_response(come, scanned, false, head);
  });
  if (result != edge::Parse::kComplete) return;
  std::string out;
  edge::append_response(head, edge::After::kClose, edge::Form::kChunks, out);
  bytes.remove_prefix(head.bytes);
  edge::Body body;
  body.start(head.framing, head.length, edge::Reading::kLenient, edge::Form::kContent);
  fuzz::pass_body(body, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool to_head : {false, true}) {
    edge::ResponseHead head, pieces;
    const auto result = edge::parse_response(bytes, 0, to_head, head);
    fuzz::require(fuzz::parse_in_pieces(bytes, [&](std::string_view come, size_t scanned) {
                    return edge::parse_response(come, scanned, to_head, pieces);
                  }) == result);
    if (result != edge::Parse::kComplete) continue;
    fuzz::require(pieces.bytes == head.bytes && pieces.framing == head.framing &&
                  pieces.length == head.length);
    check_forwarded(head, to_head);
    check_body(head, bytes.substr(head.bytes));
  }
  fuzz::require_pace(bytes, serve_response);
  return 0;
}
