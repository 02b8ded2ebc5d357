#include "node/pod/stop_delay.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;
using namespace std::chrono_literals;

namespace {

json::Value pod(const std::string& delay) {
  return json::parse(R"({"metadata":{"annotations":{"skiff.dev/stop-delay":")" + delay + R"("}}})").value();
}
const json::Value kPlain = json::parse(R"({"metadata":{"name":"p"}})").value();

}  // namespace

TEST_CASE("a pod that is routed to is told after the pause, another one at once") {
  CHECK(plan_stop_delay(kPlain, true, 30s) == kStopDelay);
  CHECK(plan_stop_delay(kPlain, false, 30s) == 0s);
}

TEST_CASE("the pause takes at most half of the grace") {
  CHECK(plan_stop_delay(kPlain, true, 1s) == 500ms);
  CHECK(plan_stop_delay(kPlain, true, 0s) == 0s);
  CHECK(plan_stop_delay(pod("100"), true, 30s) == 15s);
}

TEST_CASE("the annotation says how long, whether the pod is routed to or not") {
  CHECK(plan_stop_delay(pod("0"), true, 30s) == 0s);
  CHECK(plan_stop_delay(pod("5"), true, 30s) == 5s);
  CHECK(plan_stop_delay(pod("1.5"), false, 30s) == 1500ms);
}

TEST_CASE("what is no number of seconds is as if it was not there") {
  for (const char* wrong : {"", "soon", "-1", "2s", "1e3", "nan", "inf", "99999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(annotated_stop_delay(pod(wrong)));
    CHECK(plan_stop_delay(pod(wrong), true, 30s) == kStopDelay);
  }
}

TEST_CASE("a hook that sleeps is a pause of the pod's own") {
  const auto with = [](const char* hook) {
    return json::parse(R"({"lifecycle":{"preStop":)" + std::string(hook) + "}}").value();
  };
  CHECK(own_stop_delay(with(R"({"sleep":{"seconds":3}})")) == 3s);
  CHECK(own_stop_delay(with(R"({"exec":{"command":["sleep","3"]}})")) == 0s);
  CHECK(own_stop_delay(kPlain) == 0s);
}
