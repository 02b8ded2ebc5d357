#include "control/nodes/plan.h"

#include <algorithm>

#include "control/shared/tolerations.h"

namespace skiff::control {

namespace {

constexpr Duration kGrace = std::chrono::seconds(50);     // upstream's node-monitor-grace-period
constexpr Duration kLookAgain = std::chrono::seconds(5);  // at a silent node; upstream's node-monitor-period
constexpr const char* kNotReady = "node.kubernetes.io/not-ready";
constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";
constexpr const char* kUnschedulable = "node.kubernetes.io/unschedulable";

// The last sign of life.
std::optional<WallTime> last_seen(const NodeView& view) {
  auto seen = read_time(view.lease["spec"]["renewTime"]);
  for (const auto& text : {find_condition(view.node, "Ready")["lastHeartbeatTime"],
                           view.node["metadata"]["creationTimestamp"]}) {
    const auto time = read_time(text);
    if (time && (!seen || *time > *seen)) seen = time;
  }
  return seen;
}

Value unknown_conditions(const Value& node, WallTime now) {
  auto conditions = node["status"]["conditions"];
  if (find_condition(node, "Ready").is_null()) conditions.push_back(Value::object({{"type", "Ready"}}));
  for (size_t i = 0; i < conditions.size(); ++i) {
    auto& condition = conditions.edit_at(i);
    if (condition["status"].str() == "Unknown") continue;
    condition.set("status", "Unknown");
    condition.set("reason", "NodeStatusUnknown");
    condition.set("message", "Kubelet stopped posting node status.");
    condition.set("lastTransitionTime", format_rfc3339(now));
  }
  return conditions;
}

Value wanted_taints(const Value& node, const std::string& ready, WallTime now) {
  auto taints = Value::array();
  const auto& before = node["spec"]["taints"].items();
  const auto add = [&](const char* key, const char* effect) {
    const auto found = std::ranges::find_if(before, [&](const Value& taint) {
      return taint["key"].str() == key && taint["effect"].str() == effect;
    });
    if (found != before.end()) {
      taints.push_back(*found);
      return;
    }
    auto taint = Value::object({{"key", key}, {"effect", effect}});
    if (std::string_view(effect) == "NoExecute") taint.set("timeAdded", format_rfc3339(now));
    taints.push_back(std::move(taint));
  };
  for (const auto& taint : before) {
    const auto& key = taint["key"].str();
    if (key != kNotReady && key != kUnreachable && key != kUnschedulable) taints.push_back(taint);
  }
  if (ready != "True") {
    const auto* key = ready == "False" ? kNotReady : kUnreachable;
    add(key, "NoSchedule");
    add(key, "NoExecute");
  }
  if (node["spec"]["unschedulable"].as_bool()) add(kUnschedulable, "NoSchedule");
  return taints;
}

void mark_pods_not_ready(const NodeView& view, WallTime now, Plan& plan) {
  for (const auto& pod : view.pods) {
    if (!is_pod_ready(pod)) continue;
    auto condition =
        Value::object({{"type", "Ready"}, {"status", "False"}, {"lastTransitionTime", format_rfc3339(now)}});
    plan.actions.push_back(strategic_patch(
        path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)) + "/status",
        Value::object({{"status", Value::object({{"conditions", Value::array({std::move(condition)})}})}})));
  }
}

void look_again(Plan& plan, Duration delay) {
  constexpr Duration kSoonest = std::chrono::seconds(1);
  plan.again = std::max(kSoonest, std::min(delay, plan.again.value_or(delay)));
}

// Pods that a NoExecute taint drives away; those that put up with it for a while go when that is over.
void evict_pods(const NodeView& view, const Value& taints, WallTime now, Plan& plan) {
  std::vector<Value> driving;
  WallTime since = WallTime::max();
  for (const auto& taint : taints.items()) {
    if (taint["effect"].str() != "NoExecute") continue;
    driving.push_back(taint);
    since = std::min(since, read_time(taint["timeAdded"]).value_or(view.driven_since));
  }
  if (driving.empty()) return;
  for (const auto& pod : view.pods) {
    if (is_deleting(pod)) continue;
    const auto stay = time_to_stay(pod, driving);
    if (!stay) continue;
    if (since + *stay > now) {
      look_again(plan, since + *stay - now);
      continue;
    }
    plan.actions.push_back(
        normal_event(pod, "TaintManagerEviction", "Marking for deletion Pod " + key_of(pod)));
    plan.actions.push_back(remove(path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)),
                                  Value::object({{"preconditions", Value::object({{"uid", uid_of(pod)}})}})));
  }
}

}  // namespace

bool is_driving(const Value& node) {
  return std::ranges::any_of(node["spec"]["taints"].items(),
                             [](const Value& taint) { return taint["effect"].str() == "NoExecute"; });
}

Plan plan_node(const NodeView& view, WallTime now) {
  Plan plan;
  const auto path = path_of("/api/v1", "nodes", "", name_of(view.node));
  auto node = view.node;
  const auto seen = last_seen(view);
  const bool silent = seen && *seen + kGrace < now;
  // Not before it can have changed: an idle cluster sleeps.
  if (seen) look_again(plan, silent ? kLookAgain : *seen + kGrace - now);
  if (silent) node.edit("status").set("conditions", unknown_conditions(node, now));
  const auto ready = find_condition(node, "Ready")["status"].str();
  // Taints first: the scheduler must not place pods on a node that is known to be gone.
  const auto taints = wanted_taints(node, ready, now);
  if (!(taints == view.node["spec"]["taints"]) &&
      !(taints.size() == 0 && view.node["spec"]["taints"].empty())) {
    plan.actions.push_back(merge_patch(path, Value::object({{"spec", Value::object({{"taints", taints}})}})));
  }
  if (!(node["status"] == view.node["status"])) {
    plan.actions.push_back(merge_patch(
        path + "/status",
        Value::object({{"status", Value::object({{"conditions", node["status"]["conditions"]}})}})));
    plan.actions.push_back(normal_event(view.node, "NodeNotReady",
                                        "Node " + name_of(view.node) + " status is now: NodeNotReady"));
  }
  // A node that is back is called Unknown until it says more, but its pods speak for themselves.
  if (silent || ready == "False") mark_pods_not_ready(view, now, plan);
  evict_pods(view, taints, now, plan);
  return plan;
}

Plan plan_lost_pods(const std::vector<Value>& pods, WallTime since, WallTime now) {
  constexpr Duration kQuarantine = std::chrono::seconds(40);  // as upstream: the node may only register again
  Plan plan;
  if (pods.empty()) return plan;
  if (now < since + kQuarantine) {
    look_again(plan, since + kQuarantine - now);
    return plan;
  }
  for (const auto& pod : pods) {
    plan.actions.push_back(remove(path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)),
                                  Value::object({{"gracePeriodSeconds", 0},
                                                 {"preconditions", Value::object({{"uid", uid_of(pod)}})}})));
  }
  return plan;
}

}  // namespace skiff::control
