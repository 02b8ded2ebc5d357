#include "control/replicaset/plan.h"

#include <algorithm>

#include "control/shared/claim.h"
#include "kube/selector/selector.h"

namespace skiff::control {

namespace {

constexpr const char* kApi = "/apis/apps/v1";
constexpr int64_t kBurst = 500;  // pods made or deleted by one sync, as upstream

std::string set_path(const Value& set) {
  return path_of(kApi, "replicasets", namespace_of(set), name_of(set));
}

bool has_template_labels(const Value& pod, const Value& labels) {
  for (const auto& [key, value] : labels.members()) {
    if (!(pod["metadata"]["labels"][key] == value)) return false;
  }
  return true;
}

void put(Value& status, const char* field, int64_t value) {
  if (value > 0) {
    status.set(field, value);
  } else if (status.contains(field)) {
    status.erase(field);
  }
}

void note_failure(Value& status, const SyncFailure& failure, WallTime now) {
  const auto& items = status["conditions"].items();
  const auto found = std::ranges::find_if(
      items, [](const Value& condition) { return condition["type"].str() == "ReplicaFailure"; });
  if (failure.reason.empty()) {
    if (found == items.end()) return;
    status.edit("conditions").erase_at(size_t(found - items.begin()));
    if (status["conditions"].size() == 0) status.erase("conditions");
    return;
  }
  if (found != items.end()) return;
  status.edit("conditions")
      .push_back(Value::object({{"type", "ReplicaFailure"},
                                {"status", "True"},
                                {"lastTransitionTime", format_rfc3339(now)},
                                {"reason", failure.reason},
                                {"message", failure.message}}));
}

}  // namespace

ReplicaSetPlan plan_replica_set(const ReplicaSetView& view, WallTime now) {
  ReplicaSetPlan plan;
  auto selector = kube::LabelSelector::from_object(view.replica_set["spec"]["selector"]);
  if (!selector || selector->empty()) return plan;
  std::vector<Value> candidates;
  for (const auto& pod : view.pods) {
    if (is_pod_active(pod)) candidates.push_back(pod);
  }
  auto claim = plan_claim({view.replica_set, set_path(view.replica_set), "apps/v1", "ReplicaSet", "/api/v1",
                           "pods", [&](const Value& labels) { return selector->matches(labels); }},
                          candidates);
  plan.claims = std::move(claim.actions);
  plan.active = std::move(claim.owned);
  if (!plan.claims.empty() || !view.settled || is_deleting(view.replica_set)) return plan;
  const auto diff = int64_t(plan.active.size()) - view.replica_set["spec"]["replicas"].as_int(1);
  if (diff < 0) plan.create = std::min(-diff, kBurst);
  if (diff > 0) {
    plan.victims = plan.active;
    if (size_t(diff) < plan.victims.size()) rank_victims(plan.victims, view.sibling_pods, now);
    plan.victims.resize(size_t(std::min(diff, kBurst)));
  }
  return plan;
}

Value make_pod(const Value& replica_set) {
  const auto& pod_template = replica_set["spec"]["template"];
  auto metadata =
      Value::object({{"generateName", name_of(replica_set) + "-"}, {"namespace", namespace_of(replica_set)}});
  for (const char* field : {"labels", "annotations", "finalizers"}) {
    if (!pod_template["metadata"][field].empty()) metadata.set(field, pod_template["metadata"][field]);
  }
  metadata.set("ownerReferences", Value::array({make_controller_ref(replica_set, "apps/v1", "ReplicaSet")}));
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"metadata", std::move(metadata)},
                        {"spec", pod_template["spec"]}});
}

Plan plan_replica_set_status(const Value& replica_set, const std::vector<Value>& active,
                             const SyncFailure& failure, WallTime now) {
  using namespace std::chrono_literals;
  const auto min_ready = replica_set["spec"]["minReadySeconds"].as_int();
  int64_t labeled = 0, ready = 0, available = 0;
  for (const auto& pod : active) {
    labeled += has_template_labels(pod, replica_set["spec"]["template"]["metadata"]["labels"]);
    ready += is_pod_ready(pod);
    available += is_pod_available(pod, min_ready, now);
  }
  auto status = replica_set["status"];
  status.set("replicas", int64_t(active.size()));
  put(status, "fullyLabeledReplicas", labeled);
  put(status, "readyReplicas", ready);
  put(status, "availableReplicas", available);
  put(status, "observedGeneration", replica_set["metadata"]["generation"].as_int());
  note_failure(status, failure, now);
  Plan plan;
  if (min_ready > 0 && ready != available) {
    plan.again = std::chrono::seconds(min_ready) + 1s;
    for (const auto& pod : active) {
      const auto since = read_time(find_condition(pod, "Ready")["lastTransitionTime"]);
      if (!is_pod_ready(pod) || !since || is_pod_available(pod, min_ready, now)) continue;
      plan.again = std::min<Duration>(*plan.again, *since + std::chrono::seconds(min_ready) + 50ms - now);
    }
  }
  if (status == replica_set["status"]) return plan;
  auto copy = replica_set;
  copy.set("status", std::move(status));
  plan.actions.push_back(update(set_path(replica_set) + "/status", std::move(copy)));
  return plan;
}

}  // namespace skiff::control
