#include "edge/balance.h"

#include <doctest/doctest.h>

#include <map>

namespace skiff::edge {
namespace {

constexpr int64_t kNow = 1000;

struct Pods {
  App app;
  std::map<std::string, PodLoad> loads;
  SeededRandom random{1};

  explicit Pods(int count) {
    for (int i = 0; i < count; ++i)
      app.ready.push_back({"10.0.0." + std::to_string(i), 80, std::to_string(i)});
  }
  const Endpoint* pick() {
    return pick_endpoint(app, kNow, random,
                         [this](const Endpoint& one) -> const PodLoad& { return loads[one.ip]; });
  }
  // How often each pod is picked in 1,000 requests that take no time.
  std::map<std::string, int> spread() {
    std::map<std::string, int> counts;
    for (int i = 0; i < 1000; ++i) ++counts[pick()->dyno];
    return counts;
  }
};

}  // namespace

TEST_CASE("requests are spread over equal pods") {
  for (const auto& [dyno, count] : Pods(4).spread()) {
    CAPTURE(dyno);
    CHECK(count > 150);
  }
}

TEST_CASE("a busy pod is picked only against itself") {
  Pods pods(4);
  pods.loads["10.0.0.2"].outstanding = 10;
  CHECK(pods.spread()["2"] < 120);  // 1 of 16 draws
}

TEST_CASE("requests that last keep the loads together") {
  Pods pods(5);
  for (int i = 0; i < 1000; ++i) ++pods.loads[pods.pick()->ip].outstanding;
  for (const auto& [ip, load] : pods.loads) {
    CAPTURE(ip);
    CHECK(load.outstanding > 190);
    CHECK(load.outstanding < 210);
  }
}

TEST_CASE("a pod in quarantine is picked when there is no other, and again afterwards") {
  Pods pods(3);
  pods.loads["10.0.0.0"].quarantined_until = pods.loads["10.0.0.1"].quarantined_until = kNow + 1;
  CHECK(pods.spread()["2"] == 1000);
  pods.loads["10.0.0.2"].quarantined_until = kNow + 1;
  CHECK(pods.spread().size() == 3);
  pods.loads["10.0.0.0"].quarantined_until = kNow;
  CHECK(pods.spread()["0"] == 1000);
}

TEST_CASE("pods that end serve only when none is ready") {
  Pods pods(1);
  pods.app.serving.push_back({"10.0.1.0", 80, "ending"});
  CHECK(pods.pick()->dyno == "0");
  pods.app.ready.clear();
  CHECK(pods.pick()->dyno == "ending");
  pods.app.serving.clear();
  CHECK(pods.pick() == nullptr);
}

}  // namespace skiff::edge
