// One Deployment, all controllers and a fake node on the API in memory, with a watch over what a rollout
// promises: for the randomised simulations.
//
// After every single change: no more pods than replicas + maxSurge, and the controllers take no pod away when
// that leaves fewer than replicas - maxUnavailable ready. When the Deployment is changed in the middle of a
// rollout, the widest of the bounds since it last settled count. What the test itself breaks (a pod that
// vanishes or fails) is no breach, and for a moment afterwards neither is what was decided before it was
// seen. The same moment is granted
// after a change of the number of replicas, the strategy or the pause: pods are shared among the ReplicaSets
// in proportion then, as upstream does, whether they are ready or not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/controllers.h"
#include "control/deployment/rounding.h"
#include "control/fake_cluster.h"
#include "io/sim_loop.h"

namespace skiff::control {

class RolloutRig {
 public:
  static constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
  static constexpr const char* kPods = "/api/v1/namespaces/shop/pods";
  static constexpr const char* kSets = "/apis/apps/v1/namespaces/shop/replicasets";
  using Wrap = std::function<std::unique_ptr<kube::Client>(kube::Client& api)>;

  // `wrap` may stand between the controllers and the API.
  explicit RolloutRig(uint64_t seed, int64_t replicas, const Wrap& wrap = nullptr)
      : loop_(seed, io::SimLoop::Order::kShuffled),
        random_(seed * 77 + 1),
        api_(loop_),
        wrapped_(wrap ? wrap(api_) : nullptr),
        controllers_(loop_, wrapped_ ? *wrapped_ : api_) {
    make_node();
    make_deployment(replicas);
    api_.on_step = [this] { check(); };
    controllers_.start();
  }
  ~RolloutRig() { api_.on_step = nullptr; }

  static Value make_pod_spec(int image) {
    return Value::object(
        {{"containers",
          Value::array({Value::object({{"name", "app"}, {"image", "web:" + std::to_string(image)}})})}});
  }
  Value web() const { return api_.read(kWeb); }
  void edit(const std::function<void(Value& spec)>& change) {
    auto deployment = web();
    const auto before = deployment["spec"];
    change(deployment.edit("spec"));
    for (const char* field : {"replicas", "strategy", "paused"}) {
      if (!(deployment["spec"][field] == before[field])) harmed_ = loop_.now();
    }
    (void)api_.write(kWeb, std::move(deployment));
    widen();
  }
  void set_image(int image) {
    edit([image](Value& spec) { spec.edit("template").set("spec", make_pod_spec(image)); });
  }

  // One turn of the fake node: pods start (one in `one_in`, at most `most`) and deleted ones end. Pods of
  // bad_image never start.
  void turn(uint64_t one_in = 3, int most = 1000) {
    for (auto pod : api_.all(kPods)) {
      if (is_deleting(pod)) {
        if (random_.below(4) == 0) api_.erase(path_of_pod(pod));
      } else if (can_start(pod) && most > 0 && random_.below(one_in) == 0) {
        --most;
        set_ready(std::move(pod), "True");
      }
    }
    loop_.advance(std::chrono::milliseconds(50));
  }
  // Some pod is gone, as if its node had lost it.
  void vanish() {
    const auto pods = api_.all(kPods);
    if (!pods.empty()) harm([&] { api_.erase(path_of_pod(pods[random_.below(pods.size())])); });
  }
  // Some ready pod is not ready any more; it may start again.
  void fail_one() {
    const auto pods = api_.all(kPods);
    if (pods.empty()) return;
    auto pod = pods[random_.below(pods.size())];
    if (is_pod_ready(pod)) harm([&] { set_ready(std::move(pod), "False"); });
  }

  // The controllers die and begin again, as with a killed process; what they had under way is dropped.
  void restart() {
    controllers_.stop();
    controllers_.start();
  }

  bool settled() const {
    const auto deployment = web();
    const auto& status = deployment["status"];
    const auto want = deployment["spec"]["replicas"].as_int();
    return status["observedGeneration"] == deployment["metadata"]["generation"] &&
           status["replicas"].as_int() == want && status["updatedReplicas"].as_int() == want &&
           status["availableReplicas"].as_int() == want;
  }
  // From here on the bounds are those of the present Deployment.
  bool settle(uint64_t one_in = 3, int most = 1000) {
    for (int i = 0; i < 2000 && !settled(); ++i) turn(one_in, most);
    if (!settled()) return false;
    lowest_ = bounds().first;
    highest_ = bounds().second;
    return true;
  }

  io::SimLoop& loop() { return loop_; }
  SeededRandom& random() { return random_; }
  FakeCluster& api() { return api_; }
  int bad_image = -1;
  std::vector<std::string> breaches;

 private:
  static constexpr Duration kUnseen =
      std::chrono::milliseconds(100);  // until a harm is known to the controllers

  void make_node() {
    const auto ready = Value::object({{"type", "Ready"}, {"status", "True"}});
    (void)api_.make(
        "/api/v1/nodes",
        Value::object({{"metadata", Value::object({{"name", "n1"}})},
                       {"status", Value::object({{"allocatable", Value::object({{"pods", "500"}})},
                                                 {"conditions", Value::array({ready})}})}}));
  }
  void make_deployment(int64_t replicas) {
    const auto labels = Value::object({{"app", "web"}});
    const auto spec = Value::object(
        {{"replicas", replicas},
         {"selector", Value::object({{"matchLabels", labels}})},
         {"progressDeadlineSeconds", 600},
         {"template",
          Value::object({{"metadata", Value::object({{"labels", labels}})}, {"spec", make_pod_spec(1)}})}});
    (void)api_.make("/apis/apps/v1/namespaces/shop/deployments",
                    Value::object({{"apiVersion", "apps/v1"},
                                   {"kind", "Deployment"},
                                   {"metadata", Value::object({{"name", "web"}, {"namespace", "shop"}})},
                                   {"spec", spec}}));
    widen();
  }
  static std::string path_of_pod(const Value& pod) { return std::string(kPods) + "/" + name_of(pod); }
  bool can_start(const Value& pod) const {
    const bool bad = pod["spec"]["containers"].at(0)["image"].str() == "web:" + std::to_string(bad_image);
    return !bad && !pod["spec"]["nodeName"].empty() && !is_pod_ready(pod);
  }
  void set_ready(Value pod, const char* status) {
    const auto ready = Value::object(
        {{"type", "Ready"}, {"status", status}, {"lastTransitionTime", format_rfc3339(loop_.wall_now())}});
    pod.set(
        "status",
        Value::object({{"phase", "Running"}, {"podIP", "10.0.0.1"}, {"conditions", Value::array({ready})}}));
    const auto path = path_of_pod(pod);
    (void)api_.write(path, std::move(pod));
  }
  void harm(const std::function<void()>& what) {
    harmed_ = loop_.now();
    what();
  }
  // The least ready and the most alive pods that the Deployment allows.
  std::pair<int64_t, int64_t> bounds() const {
    const auto deployment = web();
    const auto limits = deployment_bounds(deployment);
    const auto want = deployment["spec"]["replicas"].as_int();
    return {want - limits.unavailable, want + limits.surge};
  }
  void widen() {
    lowest_ = std::min(lowest_, bounds().first);
    highest_ = std::max(highest_, bounds().second);
  }
  void check() {
    int64_t alive = 0, ready = 0;
    for (const auto& pod : api_.all(kPods)) {
      alive += is_pod_active(pod);
      ready += is_pod_active(pod) && is_pod_ready(pod);
    }
    const bool unseen = loop_.now() - harmed_ < kUnseen;
    if (alive > highest_ && !unseen)
      breaches.push_back(std::to_string(alive) + " pods where " + std::to_string(highest_) + " may be");
    if (ready < ready_ && ready < lowest_ && !unseen)
      breaches.push_back(std::to_string(ready) + " ready where " + std::to_string(lowest_) + " must be");
    ready_ = ready;
  }

  io::SimLoop loop_;
  SeededRandom random_;
  FakeCluster api_;
  std::unique_ptr<kube::Client> wrapped_;
  Controllers controllers_;
  int64_t lowest_ = INT64_MAX, highest_ = 0, ready_ = 0;
  MonotonicTime harmed_{};
};

}  // namespace skiff::control
