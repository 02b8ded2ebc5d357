// Random rollouts against the API in memory: the availability bounds hold at every step, and it converges.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "control/controllers.h"
#include "control/deployment/rounding.h"
#include "control/fake_cluster.h"
#include "io/sim_loop.h"

namespace skiff::control {

namespace {

using namespace std::chrono_literals;
constexpr const char* kDeployments = "/apis/apps/v1/namespaces/shop/deployments";
constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kPods = "/api/v1/namespaces/shop/pods";

class Simulation {
 public:
  explicit Simulation(uint64_t seed, int64_t replicas)
      : loop_(seed, io::SimLoop::Order::kShuffled),
        random_(seed * 77 + 1),
        api_(loop_),
        controllers_(loop_, api_) {
    (void)api_.make(
        "/api/v1/nodes",
        Value::object(
            {{"metadata", Value::object({{"name", "n1"}})},
             {"status", Value::object({{"allocatable", Value::object({{"pods", "500"}})},
                                       {"conditions", Value::array({Value::object(
                                                          {{"type", "Ready"}, {"status", "True"}})})}})}}));
    auto labels = Value::object({{"app", "web"}});
    auto spec = Value::object({{"replicas", replicas},
                               {"selector", Value::object({{"matchLabels", labels}})},
                               {"progressDeadlineSeconds", 600},
                               {"template", Value::object({{"metadata", Value::object({{"labels", labels}})},
                                                           {"spec", make_pod_spec(1)}})}});
    (void)api_.make(kDeployments,
                    Value::object({{"apiVersion", "apps/v1"},
                                   {"kind", "Deployment"},
                                   {"metadata", Value::object({{"name", "web"}, {"namespace", "shop"}})},
                                   {"spec", spec}}));
    api_.on_step = [this] { check(); };
    controllers_.start();
  }
  ~Simulation() { api_.on_step = nullptr; }

  static Value make_pod_spec(int image) {
    return Value::object(
        {{"containers",
          Value::array({Value::object({{"name", "app"}, {"image", "web:" + std::to_string(image)}})})}});
  }
  Value web() const { return api_.read(kWeb); }
  void edit(const std::function<void(Value& spec)>& change) {
    auto deployment = web();
    change(deployment.edit("spec"));
    (void)api_.write(kWeb, std::move(deployment));
  }
  // One turn of the fake node: pods start and end at random times.
  void turn(uint64_t one_in = 3, int most = 1000) {
    for (auto pod : api_.all(kPods)) {
      const auto path = std::string(kPods) + "/" + name_of(pod);
      if (is_deleting(pod)) {
        if (random_.below(4) == 0) api_.erase(path);
      } else if (!pod["spec"]["nodeName"].empty() && !is_pod_ready(pod) && most > 0 &&
                 random_.below(one_in) == 0) {
        --most;
        pod.set("status",
                Value::object(
                    {{"phase", "Running"},
                     {"podIP", "10.0.0.1"},
                     {"conditions", Value::array({Value::object(
                                        {{"type", "Ready"},
                                         {"status", "True"},
                                         {"lastTransitionTime", format_rfc3339(loop_.wall_now())}})})}}));
        (void)api_.write(path, std::move(pod));
      }
    }
    loop_.advance(50ms);
  }
  bool settled() const {
    const auto deployment = web();
    const auto& status = deployment["status"];
    const auto want = deployment["spec"]["replicas"].as_int();
    return status["observedGeneration"] == deployment["metadata"]["generation"] &&
           status["replicas"].as_int() == want && status["updatedReplicas"].as_int() == want &&
           status["availableReplicas"].as_int() == want;
  }
  bool settle() {
    for (int i = 0; i < 2000 && !settled(); ++i) turn();
    return settled();
  }
  // As a calm node does: one pod after another.
  bool settle_one_by_one() {
    for (int i = 0; i < 200 && !settled(); ++i) turn(1, 1);
    return settled();
  }
  // The bounds hold while nothing but the controllers takes pods away.
  void check() {
    int64_t alive = 0, ready = 0;
    for (const auto& pod : api_.all(kPods)) {
      alive += is_pod_active(pod);
      ready += is_pod_active(pod) && is_pod_ready(pod);
    }
    const auto deployment = web();
    const auto bounds = deployment_bounds(deployment);
    const auto want = deployment["spec"]["replicas"].as_int();
    if (check_total) CHECK(alive <= want + bounds.surge);
    if (check_available) CHECK(ready >= want - bounds.unavailable);
  }
  void vanish() {
    const auto pods = api_.all(kPods);
    if (!pods.empty()) api_.erase(std::string(kPods) + "/" + name_of(pods[random_.below(pods.size())]));
  }

  bool check_total = true, check_available = false;
  io::SimLoop loop_;
  SeededRandom random_;
  FakeCluster api_;
  Controllers controllers_;
};

std::vector<std::string> scaling_messages(const Simulation& sim) {
  std::map<int64_t, std::string> by_version;
  for (const auto& event : sim.api_.all("/api/v1/namespaces/shop/events")) {
    if (event["reason"].str() != "ScalingReplicaSet") continue;
    by_version[parse_int(event["metadata"]["resourceVersion"].str()).value_or(0)] = event["message"].str();
  }
  std::vector<std::string> out;
  for (auto& [version, message] : by_version) out.push_back(std::move(message));
  return out;
}

// The hashes differ from upstream's: they become <hash1>, <hash2> in order of appearance.
void number_hashes(std::vector<std::string>& messages) {
  std::vector<std::string> seen;
  for (auto& message : messages) {
    const auto at = message.find("web-") + 4;
    const auto hash = message.substr(at, message.find(' ', at) - at);
    if (std::ranges::find(seen, hash) == seen.end()) seen.push_back(hash);
    const auto number = std::ranges::find(seen, hash) - seen.begin() + 1;
    message = replace_all(message, hash, "<hash" + std::to_string(number) + ">");
  }
}

}  // namespace

TEST_CASE("the recorded four-replica rollout is reproduced step by step") {
  std::ifstream file(SKIFF_SOURCE_DIR "/src/control/testdata/r4-default.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto golden = json::parse(text.str());
  REQUIRE(golden);
  Simulation sim(1, 4);
  REQUIRE(sim.settle_one_by_one());
  sim.edit([](Value& spec) { spec.edit("template").set("spec", Simulation::make_pod_spec(2)); });
  sim.loop_.advance(200ms);
  REQUIRE(sim.settle_one_by_one());
  auto got = scaling_messages(sim);
  number_hashes(got);
  std::vector<std::string> want;
  for (const auto& message : (*golden)["scaling"].items()) want.push_back(message.str());
  CHECK(join(got, "\n") == join(want, "\n"));
}

TEST_CASE("rolling updates and undos keep the bounds at every step and converge") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Simulation sim(seed, int64_t(1 + seed));
    REQUIRE(sim.settle());
    sim.check_available = true;
    for (const int image : {2, 3, 1}) {
      sim.edit([image](Value& spec) { spec.edit("template").set("spec", Simulation::make_pod_spec(image)); });
      // Sometimes the next change comes in the middle.
      for (uint64_t i = sim.random_.below(20); i > 0; --i) sim.turn();
    }
    REQUIRE(sim.settle());
    CHECK(annotation(sim.web(), "deployment.kubernetes.io/revision") != "1");
  }
}

TEST_CASE("vanishing pods, pauses and scaling in the middle of a rollout still converge") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Simulation sim(seed, 6);
    REQUIRE(sim.settle());
    sim.check_total = false;
    for (int step = 0; step < 30; ++step) {
      const auto dice = sim.random_.below(5);
      if (dice == 0) sim.vanish();
      if (dice == 1) sim.edit([&](Value& spec) { spec.set("replicas", int64_t(1 + sim.random_.below(10))); });
      if (dice == 2) sim.edit([&](Value& spec) { spec.set("paused", sim.random_.below(2) == 0); });
      if (dice == 3) {
        const auto image = int(sim.random_.below(3));
        sim.edit([&](Value& spec) { spec.edit("template").set("spec", Simulation::make_pod_spec(image)); });
      }
      for (uint64_t i = sim.random_.below(8); i > 0; --i) sim.turn();
    }
    sim.edit([](Value& spec) { spec.set("paused", false); });
    CHECK(sim.settle());
  }
}

}  // namespace skiff::control
