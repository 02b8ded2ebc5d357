#include "edge/client.h"

namespace skiff::edge {

Expiry plan_expiry(Client::State state, bool head_begun, bool response_started, bool body_done,
                   Fault last_fault) {
  using Kind = Expiry::Kind;
  switch (state) {
    case Client::State::kHead:
      return {head_begun ? Kind::kHeadTimeout : Kind::kClose};
    case Client::State::kHeld:
      return {Kind::kFail, last_fault == Fault::kNone ? Fault::kH20 : last_fault};
    case Client::State::kConnecting:
      return {Kind::kRetry, Fault::kH19};
    case Client::State::kExchange:
      if (response_started) return {Kind::kFail, Fault::kH15};
      return {Kind::kFail, body_done ? Fault::kH12 : Fault::kH28};
    case Client::State::kTunnel:
      return {Kind::kFail, Fault::kH15};
    case Client::State::kFlush:
    case Client::State::kLinger:
      return {Kind::kClose};
  }
  return {Kind::kClose};
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE" || method == "TRACE";
}

}  // namespace skiff::edge
