#include "session.h"

#include <algorithm>

namespace ipify {
namespace {

constexpr Refusal kHeadTooLarge{Status::kHeadersTooLarge, "The request's headers are too large."};
constexpr Refusal kTargetTooLong{Status::kUriTooLong, "The address asked for is too long."};
constexpr Refusal kBareLineFeed{Status::kBadRequest, "A line of the request does not end with CR LF."};
constexpr Refusal kNotHttp{Status::kBadRequest, "This is not HTTP. If it is TLS, use http:// here."};
constexpr Refusal kTooSlow{Status::kRequestTimeout, "The request did not arrive in time."};

// A client may send empty lines between requests (RFC 9112, section 2.2).
void skip_empty_lines(std::string_view& rest) {
  while (rest.starts_with("\r\n")) rest.remove_prefix(2);
}

bool may_start_request(std::string_view rest) {
  return rest.front() > ' ' && rest.front() < 0x7f;
}

const Refusal& too_large(std::string_view head) {
  return head.find('\n') == head.npos ? kTargetTooLong : kHeadTooLarge;
}

// Whether the request's body, if any, has an end that is worth waiting for.
bool body_is_skippable(const Request& request) {
  return !request.transfer_coded && !request.expects_continue &&
         request.content_length <= kMaxSkippedBodyBytes;
}

ConnectionHeader connection_header(const Request& request, bool keep) {
  if (!keep) return ConnectionHeader::kClose;
  return request.http_1_0 ? ConnectionHeader::kKeepAsked : ConnectionHeader::kKeepUnasked;
}

}  // namespace

Session::Session(const Address& peer, const TrustPolicy& trust)
    : trust_(&trust), peer_(peer), peer_text_(peer.text()), peer_trusted_(trust.trusts(peer)) {}

Next Session::on_bytes(std::string_view bytes, const Turn& turn, std::string& out) {
  const bool continues = !partial_.empty();
  if (continues) partial_.append(bytes);
  std::string_view rest = continues ? std::string_view(partial_) : bytes;
  const Next next = consume(rest, turn, out);
  if (next != Next::kRead) return next;
  if (continues) {
    partial_.erase(0, partial_.size() - rest.size());
  } else {
    partial_.assign(rest);
  }
  if (partial_.empty() && continues) std::string().swap(partial_);  // an idle connection holds no buffer
  return Next::kRead;
}

Next Session::consume(std::string_view& rest, const Turn& turn, std::string& out) {
  while (true) {
    skip_body(rest);
    if (scanned_ == 0) skip_empty_lines(rest);
    if (rest.empty() || rest == "\r") return Next::kRead;
    if (!may_start_request(rest)) return refuse(kNotHttp, turn, out);
    const std::string_view window = rest.substr(0, kMaxHeadBytes);
    const HeadScan scan = find_head_end(window, scanned_);
    if (scan.state == HeadScan::State::kBareLineFeed) return refuse(kBareLineFeed, turn, out);
    if (scan.state == HeadScan::State::kIncomplete) {
      if (window.size() == kMaxHeadBytes) return refuse(too_large(window), turn, out);
      scanned_ = scan.position;
      return Next::kRead;
    }
    scanned_ = 0;
    const auto request = parse_head(rest.substr(0, scan.position));
    if (!request) return refuse(request.error(), turn, out);
    rest.remove_prefix(scan.position);
    const Next next = answer(*request, rest, turn, out);
    if (next != Next::kRead) return next;
  }
}

void Session::skip_body(std::string_view& rest) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, rest.size()));
  rest.remove_prefix(skipped);
  body_left_ -= skipped;
}

Next Session::answer(const Request& request, std::string_view& rest, const Turn& turn, std::string& out) {
  const bool skippable = body_is_skippable(request);
  const bool keep = request.keep_alive && skippable && turn.intake == Intake::kOpen;
  const Envelope envelope{.connection = connection_header(request, keep),
                          .body = request.method == Method::kHead ? BodyBytes::kOmit : BodyBytes::kSend,
                          .common_headers = turn.common_headers};
  append_response(answer_for(request, client_of(request).view()), envelope, out);
  ++answered_;
  if (!skippable) return Next::kLinger;
  body_left_ = request.content_length;
  if (keep) return Next::kRead;
  skip_body(rest);
  return rest.empty() && body_left_ == 0 ? Next::kClose : Next::kLinger;
}

Next Session::refuse(const Refusal& refusal, const Turn& turn, std::string& out) {
  const Envelope envelope{.connection = ConnectionHeader::kClose, .common_headers = turn.common_headers};
  append_response(answer_for(refusal), envelope, out);
  ++answered_;
  return Next::kLinger;
}

Next Session::on_timeout(const Turn& turn, std::string& out) {
  if (partial_.empty()) return Next::kClose;
  return refuse(kTooSlow, turn, out);
}

AddressText Session::client_of(const Request& request) const {
  if (!peer_trusted_ || request.forwarded_for().empty()) return peer_text_;
  return client_address(peer_, request.forwarded_for(), *trust_).text();
}

}  // namespace ipify
