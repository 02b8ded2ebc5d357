// The randomised simulation is only worth something if it notices a wrong planner: each mistake here, made
// between the controllers and the API, must show as a breach of the bounds or as a rollout that never ends.
#include <doctest/doctest.h>

#include "control/rollout_rig.h"

namespace skiff::control {

namespace {

enum class Mistake {
  kNone,
  kShrinksTooFar,   // an old ReplicaSet loses one pod more than planned
  kGrowsTooFar,     // a ReplicaSet gets one pod more than planned
  kNeverGrows,      // the new ReplicaSet stays as it began
  kForgetsToShrink  // old ReplicaSets keep their pods
};

class MistakenClient final : public kube::Client {
 public:
  MistakenClient(kube::Client& inner, Mistake mistake) : inner_(inner), mistake_(mistake) {}
  io::Task<Result<Value>> get(std::string path) override { return inner_.get(std::move(path)); }
  io::Task<Result<Value>> list(std::string path, std::string query) override {
    return inner_.list(std::move(path), std::move(query));
  }
  io::Task<Result<Value>> create(std::string path, Value object) override {
    return inner_.create(std::move(path), std::move(object));
  }
  io::Task<Result<Value>> patch(std::string path, kube::PatchType type, Value patch) override {
    return inner_.patch(std::move(path), type, std::move(patch));
  }
  io::Task<Result<void>> remove(std::string path, Value options) override {
    return inner_.remove(std::move(path), std::move(options));
  }
  io::Task<void> follow(std::string path, std::string query, kube::ChangeCallback callback) override {
    return inner_.follow(std::move(path), std::move(query), std::move(callback));
  }
  io::Task<Result<Value>> update(std::string path, Value object) override {
    return change(this, std::move(path), std::move(object));
  }

 private:
  static io::Task<Result<Value>> change(MistakenClient* self, std::string path, Value object) {
    if (path.find("/replicasets/") != std::string::npos && !path.ends_with("/status")) {
      auto before = co_await self->inner_.get(path);
      if (before) {
        const auto was = (*before)["spec"]["replicas"].as_int();
        const auto is = object["spec"]["replicas"].as_int();
        object.edit("spec").set("replicas", self->mistaken(was, is));
      }
    }
    auto written = co_await self->inner_.update(std::move(path), std::move(object));
    co_return written;
  }
  int64_t mistaken(int64_t was, int64_t is) const {
    if (mistake_ == Mistake::kShrinksTooFar && is < was) return std::max<int64_t>(0, is - 1);
    if (mistake_ == Mistake::kGrowsTooFar && is > was) return is + 1;
    if (mistake_ == Mistake::kNeverGrows && is > was) return was;
    if (mistake_ == Mistake::kForgetsToShrink && is < was) return was;
    return is;
  }

  kube::Client& inner_;
  Mistake mistake_;
};

// Two rollouts for each of a few seeds; true when one breached its bounds or did not end.
bool is_noticed(Mistake mistake) {
  const auto wrap = [mistake](kube::Client& api) { return std::make_unique<MistakenClient>(api, mistake); };
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    RolloutRig rig(seed, 6, wrap);
    if (!rig.settle()) return true;
    rig.set_image(2);
    if (!rig.settle()) return true;
    if (!rig.breaches.empty()) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the rollout simulation passes the right planner and notices each wrong one") {
  CHECK_FALSE(is_noticed(Mistake::kNone));
  CHECK(is_noticed(Mistake::kShrinksTooFar));
  CHECK(is_noticed(Mistake::kGrowsTooFar));
  CHECK(is_noticed(Mistake::kNeverGrows));
  CHECK(is_noticed(Mistake::kForgetsToShrink));
}

}  // namespace skiff::control
