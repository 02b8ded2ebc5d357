#include "edge/client.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

using State = Client::State;
using Kind = Expiry::Kind;

}  // namespace

TEST_CASE("an idle client is closed in silence, one that began a head is told") {
  CHECK(plan_expiry(State::kHead, false, false, true, Fault::kNone).kind == Kind::kClose);
  CHECK(plan_expiry(State::kHead, true, false, true, Fault::kNone).kind == Kind::kHeadTimeout);
}

TEST_CASE("a request that waits in vain says what it waited for") {
  CHECK(plan_expiry(State::kHeld, false, false, true, Fault::kNone).fault == Fault::kH20);
  CHECK(plan_expiry(State::kHeld, false, false, true, Fault::kH21).fault == Fault::kH21);
}

TEST_CASE("a connection that takes too long is tried elsewhere") {
  const auto plan = plan_expiry(State::kConnecting, false, false, true, Fault::kNone);
  CHECK(plan.kind == Kind::kRetry);
  CHECK(plan.fault == Fault::kH19);
}

TEST_CASE("silence in an exchange is the fault of whose turn it was") {
  CHECK(plan_expiry(State::kExchange, false, false, true, Fault::kNone).fault == Fault::kH12);
  CHECK(plan_expiry(State::kExchange, false, false, false, Fault::kNone).fault == Fault::kH28);
  CHECK(plan_expiry(State::kExchange, false, true, true, Fault::kNone).fault == Fault::kH15);
  CHECK(plan_expiry(State::kTunnel, false, true, true, Fault::kNone).fault == Fault::kH15);
}

TEST_CASE("an answer that nobody reads ends with its connection") {
  CHECK(plan_expiry(State::kFlush, false, true, true, Fault::kNone).kind == Kind::kClose);
  CHECK(plan_expiry(State::kLinger, false, true, true, Fault::kNone).kind == Kind::kClose);
}

TEST_CASE("what may be sent twice is what the RFC says") {
  for (const char* method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
    CHECK(is_idempotent(method));
  for (const char* method : {"POST", "PATCH", "get", "FOO"}) CHECK_FALSE(is_idempotent(method));
}

}  // namespace skiff::edge
