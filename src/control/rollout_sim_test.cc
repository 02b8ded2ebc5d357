// Random rollouts against the API in memory: the availability bounds hold at every step, and it converges.
// Longer runs, for other seeds: ROLLOUT_SEEDS=1000 control_test -sf='*rollout_sim*'
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "base/strings.h"
#include "control/rollout_rig.h"
#include "io/file.h"

namespace skiff::control {

namespace {

uint64_t seeds() {
  const char* text = std::getenv("ROLLOUT_SEEDS");
  return text ? static_cast<uint64_t>(parse_int(text).value_or(12)) : 12;
}

std::vector<std::string> scaling_messages(RolloutRig& rig) {
  std::map<int64_t, std::string> by_version;
  for (const auto& event : rig.api().all("/api/v1/namespaces/shop/events")) {
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

Value recording(std::string_view name) {
  const auto text = io::read_file(SKIFF_SOURCE_DIR "/src/control/testdata/recordings.json");
  REQUIRE(text);
  for (const auto& one : json::parse(*text).value_or(Value()).items()) {
    if (one["name"].str() == name) return one;
  }
  return {};
}

// One random thing that happens to a rollout.
void disturb(RolloutRig& rig) {
  auto& random = rig.random();
  switch (random.below(8)) {
    case 0:
      return rig.vanish();
    case 1:
      return rig.fail_one();
    case 2:
      return rig.edit([&](Value& spec) { spec.set("replicas", int64_t(random.below(11))); });
    case 3:
      return rig.edit([&](Value& spec) { spec.set("paused", random.below(2) == 0); });
    case 4:  // one of four images: often an undo
      return rig.set_image(int(random.below(4)));
    case 5:
      return rig.edit([&](Value& spec) {
        auto& rolling = spec.edit("strategy").edit("rollingUpdate");
        rolling.set("maxSurge", int64_t(random.below(3)));
        rolling.set("maxUnavailable", random.below(2) == 0 ? Value("30%") : Value(1));
      });
    case 6:
      return rig.restart();
    default:
      for (uint64_t i = random.below(20); i > 0; --i) rig.turn();
  }
}

}  // namespace

TEST_CASE("the recorded four-replica rollout is reproduced step by step") {
  RolloutRig rig(1, 4);
  // As a calm node does: one pod after another.
  REQUIRE(rig.settle(1, 1));
  rig.set_image(2);
  rig.loop().advance(std::chrono::milliseconds(200));
  REQUIRE(rig.settle(1, 1));
  auto got = scaling_messages(rig);
  number_hashes(got);
  std::vector<std::string> want;
  const auto golden = recording("r4-default");
  for (const auto& message : golden["scaled"].items()) want.push_back(message.str());
  REQUIRE(want.size() == 9);
  CHECK(join(got, "\n") == join(want, "\n"));
  CHECK(join(rig.breaches, "\n") == "");
}

TEST_CASE("rolling updates and undos keep the bounds at every step and converge") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    RolloutRig rig(seed, int64_t(1 + seed % 12));
    REQUIRE(rig.settle());
    for (const int image : {2, 3, 1}) {
      rig.set_image(image);
      // Sometimes the next change comes in the middle.
      for (uint64_t i = rig.random().below(20); i > 0; --i) rig.turn();
    }
    REQUIRE(rig.settle());
    CHECK(join(rig.breaches, "\n") == "");
  }
}

TEST_CASE("a rollout whose pods never start keeps the old ones, and undoing it converges") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    RolloutRig rig(seed, int64_t(2 + seed % 9));
    REQUIRE(rig.settle());
    rig.bad_image = 2;
    rig.set_image(2);
    for (int i = 0; i < 60; ++i) rig.turn();
    CHECK_FALSE(rig.settled());
    rig.set_image(seed % 2 == 0 ? 1 : 3);
    REQUIRE(rig.settle());
    CHECK(join(rig.breaches, "\n") == "");
  }
}

TEST_CASE("failures, pauses, undos, scaling and restarts in the middle keep the bounds and converge") {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    RolloutRig rig(seed, 6);
    REQUIRE(rig.settle());
    for (int step = 0; step < 30; ++step) {
      disturb(rig);
      for (uint64_t i = rig.random().below(8); i > 0; --i) rig.turn();
    }
    rig.edit([](Value& spec) { spec.set("paused", false); });
    CHECK(rig.settle());
    CHECK(join(rig.breaches, "\n") == "");
    // The history is cut, and nothing but the newest ReplicaSet has pods.
    int64_t total = 0;
    for (const auto& set : rig.api().all(RolloutRig::kSets)) total += set["spec"]["replicas"].as_int();
    CHECK(total == rig.web()["spec"]["replicas"].as_int());
  }
}

}  // namespace skiff::control
