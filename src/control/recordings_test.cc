// What a real control plane did in 26 roll-outs, replayed: the same requests at the same times against the
// whole engine, and the same Deployment and ReplicaSets after each step (testdata/recordings.json).
//
// A hash differs from the recorded one, so the Nth ReplicaSet is web-<hashN> on both sides. Where a recorded
// state depends on how fast a pod started in the middle of a step, the step says "timing" and is not
// compared.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/strings.h"
#include "control/sim_cluster.h"
#include "io/file.h"
#include "io/sync.h"

namespace skiff::control {

namespace {

using namespace std::chrono_literals;

std::optional<Duration> ready_after(const Value& pod) {
  const auto& container = pod["spec"]["containers"].at(0);
  const bool fails = container["image"].str().find("nope") != std::string::npos ||
                     json::encode(container["command"]).find("exit 1") != std::string::npos;
  if (fails) return std::nullopt;
  const auto& probe = container["readinessProbe"];
  // Pods of one moment become ready one after another, as on a real node.
  const auto spread = std::chrono::milliseconds(std::hash<std::string>()(uid_of(pod)) % 700);
  return std::chrono::seconds(probe["initialDelaySeconds"].as_int()) + 500ms + spread;
}

class Replay {
 public:
  Replay()
      : cluster_({.fleet = {.nodes = 1, .ready_after = ready_after, .stop_delay = 1200ms}}),
        sets_(cluster_.loop(), cluster_.client(), "/apis/apps/v1/namespaces/shop/replicasets"),
        deployments_(cluster_.loop(), cluster_.client(), "/apis/apps/v1/namespaces/shop/deployments") {
    sets_.on_change([this](const Value& before, const Value& after) {
      const auto known = std::ranges::find(names_, name_of(after));
      if (before.is_null() && known == names_.end()) names_.push_back(name_of(after));
    });
    sets_.start();
    deployments_.start();
    REQUIRE(cluster_.start());
    const auto space = Value::object({{"metadata", Value::object({{"name", "shop"}})}});
    REQUIRE(io::block_on(cluster_.loop(), cluster_.client().create("/api/v1/namespaces", space)));
    start_ = cluster_.loop().now();
  }

  void wait_until(int64_t ms) {
    cluster_.loop().advance(start_ + std::chrono::milliseconds(ms) - cluster_.loop().now());
  }
  void apply(const Value& step) {
    auto path = replace_all(step["path"].str(), "<ns>", "shop");
    const auto& method = step["method"].str();
    const auto& type = step["type"].str();
    auto& client = cluster_.client();
    bool worked = false;
    if (method == "POST") {
      worked = io::block_on(cluster_.loop(), client.create(path, step["body"])).has_value();
    } else if (method == "DELETE") {
      if (path.find("<pod>") != std::string::npos) path = any_pod();
      worked = io::block_on(cluster_.loop(), client.remove(path, step["body"])).has_value();
    } else {
      const auto kind = type.find("strategic") != std::string::npos    ? kube::PatchType::kStrategicMerge
                        : type.find("json-patch") != std::string::npos ? kube::PatchType::kJson
                                                                       : kube::PatchType::kMerge;
      worked = io::block_on(cluster_.loop(), client.patch(path, kind, step["body"])).has_value();
    }
    REQUIRE(worked);
  }
  // The same shape as a recorded state.
  std::string state() const {
    Value deployment;
    for (const auto& [key, object] : deployments_.objects()) {
      auto conditions = Value::array();
      for (const auto& c : object["status"]["conditions"].items())
        conditions.push_back(Value::array({c["type"], c["status"], c["reason"], c["message"]}));
      auto status = object["status"];
      status.erase("conditions");
      deployment =
          Value::object({{"revision", object["metadata"]["annotations"]["deployment.kubernetes.io/revision"]},
                         {"status", status},
                         {"conditions", conditions}});
    }
    auto sets = Value::object();
    for (const auto& [key, object] : sets_.objects()) {
      auto counts = object["status"];
      counts.erase("observedGeneration");  // counts the steps, and they depend on how pods start
      auto annotations = Value::object();
      for (const auto& [name, value] : object["metadata"]["annotations"].members())
        annotations.set(replace_all(name, "deployment.kubernetes.io/", ""), value);
      sets.set(name_of(object),
               Value::object({{"annotations", annotations},
                              {"replicas", object["spec"]["replicas"]},
                              {"minReadySeconds", object["spec"]["minReadySeconds"].as_int()},
                              {"status", counts}}));
    }
    const auto state = json::encode(Value::object({{"deployment", deployment}, {"replicaSets", sets}}));
    return text_of(json::parse(numbered(state)).value_or(Value()));
  }
  static std::string text_of(const Value& state) { return replace_all(canonical_text(state), ",", ",\n"); }

 private:
  std::string any_pod() {
    auto pods = io::block_on(cluster_.loop(), cluster_.client().list("/api/v1/namespaces/shop/pods", ""));
    return "/api/v1/namespaces/shop/pods/" + name_of((*pods)["items"].at(0));
  }
  std::string numbered(std::string text) const {
    for (size_t i = 0; i < names_.size(); ++i)
      text = replace_all(text, names_[i], "web-<hash" + std::to_string(i + 1) + ">");
    return text;
  }

  SimCluster cluster_;
  kube::Informer sets_, deployments_;
  std::vector<std::string> names_;  // in order of appearance
  MonotonicTime start_{};
};

void replay(const Value& recording) {
  Replay run;
  const auto& steps = recording["steps"].items();
  for (size_t i = 0; i < steps.size(); ++i) {
    run.wait_until(steps[i]["ms"].as_int());
    run.apply(steps[i]);
    run.wait_until((i + 1 < steps.size() ? steps[i + 1]["ms"] : recording["end"]).as_int() - 1);
    CAPTURE(steps[i]["what"].str());
    if (steps[i]["timing"].is_null()) CHECK(run.state() == Replay::text_of(steps[i]["after"]));
  }
}

}  // namespace

TEST_CASE("recorded roll-outs of a real control plane are reproduced") {
  const auto text = io::read_file(SKIFF_SOURCE_DIR "/src/control/testdata/recordings.json");
  REQUIRE(text);
  const auto recordings = json::parse(*text);
  REQUIRE(recordings);
  REQUIRE(recordings->size() == 26);
  for (const auto& recording : recordings->items()) {
    CAPTURE(recording["name"].str());
    replay(recording);
  }
}

}  // namespace skiff::control
