#include "node/pod/phase.h"

#include <vector>

namespace skiff::node {

namespace {

using json::Value;

struct Counts {
  int pending_init = 0, failed_init = 0, pending_sidecars = 0, running_sidecars = 0;
  int running = 0, waiting = 0, stopped = 0, succeeded = 0, unknown = 0;
};

void count_init(const Value& status, Counts& counts) {
  const Value& state = status["state"];
  const Value& ended = state.contains("terminated") ? state["terminated"] : status["lastState"]["terminated"];
  if (state.contains("running") || ended.is_null()) {
    ++counts.pending_init;
  } else if (ended["exitCode"].as_int() != 0) {
    ++counts.failed_init;
  } else if (!state.contains("terminated")) {
    ++counts.pending_init;
  }
}

void count_sidecar(const Value& status, Counts& counts) {
  const Value& state = status["state"];
  if (state.contains("running")) {
    ++counts.running_sidecars;
    if (!status["started"].as_bool()) ++counts.pending_sidecars;
  } else if (!state.contains("terminated") && status["lastState"]["terminated"].is_null()) {
    ++counts.pending_sidecars;
  }
}

void count_container(const Value& status, Counts& counts) {
  const Value& state = status["state"];
  if (state.contains("running")) {
    ++counts.running;
  } else if (state.contains("terminated")) {
    ++counts.stopped;
    if (state["terminated"]["exitCode"].as_int() == 0) ++counts.succeeded;
  } else if (state.contains("waiting")) {
    status["lastState"]["terminated"].is_null() ? ++counts.waiting : ++counts.stopped;
  } else {
    ++counts.unknown;
  }
}

bool any_started(const Value& spec, const Value& containers) {
  InOrder statuses(containers);
  for (const auto& container : spec["containers"].items()) {
    const Value& state = statuses.find(container["name"].str())["state"];
    if (state.contains("running") || state.contains("terminated")) return true;
  }
  return false;
}

std::string listing(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const auto& name : names) out += (out.size() > 1 ? " " : "") + name;
  return out + "]";
}

struct Condition {
  bool holds = true;
  std::string reason = {}, message = {};
};

Condition initialized(const ConditionInput& input) {
  std::vector<std::string> incomplete;
  const bool started = any_started(input.spec, input.containers);
  InOrder statuses(input.init);
  for (const auto& container : input.spec["initContainers"].items()) {
    const Value& status = statuses.find(container["name"].str());
    const bool done =
        is_sidecar(container) ? status["started"].as_bool() || started : status["ready"].as_bool();
    if (!done) incomplete.push_back(container["name"].str());
  }
  const bool has_inits = input.spec["initContainers"].size() > 0;
  if (has_inits && input.phase == "Succeeded") return {true, "PodCompleted"};
  if (incomplete.empty()) return input.phase == "Succeeded" ? Condition{true, "PodCompleted"} : Condition{};
  return {false, "ContainersNotInitialized", "containers with incomplete status: " + listing(incomplete)};
}

Condition containers_ready(const ConditionInput& input) {
  if (input.phase == "Succeeded") return {false, "PodCompleted"};
  if (input.phase == "Failed") return {false, "PodFailed"};
  std::vector<std::string> unready;
  InOrder inits(input.init), apps(input.containers);
  for (const auto& container : input.spec["initContainers"].items()) {
    const auto& name = container["name"].str();
    const bool is_ready = inits.find(name)["ready"].as_bool();
    if (is_sidecar(container) && !is_ready) unready.push_back(name);
  }
  for (const auto& container : input.spec["containers"].items()) {
    const auto& name = container["name"].str();
    if (!apps.find(name)["ready"].as_bool()) unready.push_back(name);
  }
  if (unready.empty()) return {};
  return {false, "ContainersNotReady", "containers with unready status: " + listing(unready)};
}

Condition ready(const ConditionInput& input, const Condition& containers) {
  if (!containers.holds) return containers;
  std::string unmet;
  for (const auto& gate : input.spec["readinessGates"].items()) {
    const auto& type = gate["conditionType"].str();
    const Value& condition = find_named(input.old_status["conditions"], type, "type");
    if (condition["status"].str() == "True") continue;
    unmet += (unmet.empty() ? "" : ", ");
    unmet += condition.is_null()
                 ? "corresponding condition of pod readiness gate \"" + type + "\" does not exist."
                 : "the status of pod readiness gate \"" + type + "\" is not \"True\", but " +
                       condition["status"].str();
  }
  if (unmet.empty()) return {};
  return {false, "ReadinessGatesNotReady", unmet};
}

Value encode(const char* type, const Condition& condition, const ConditionInput& input, WallTime now) {
  const char* status = condition.holds ? "True" : "False";
  const Value& old = find_named(input.old_status["conditions"], type, "type");
  const bool same = old["status"].str() == status;
  Value out =
      Value::object({{"type", type},
                     {"status", status},
                     {"lastProbeTime", nullptr},
                     {"lastTransitionTime", same ? old["lastTransitionTime"] : Value(format_rfc3339(now))}});
  if (!condition.reason.empty()) out.set("reason", condition.reason);
  if (!condition.message.empty()) out.set("message", condition.message);
  return out;
}

}  // namespace

bool is_sidecar(const Value& init_container) {
  return init_container["restartPolicy"].str() == "Always";
}

const Value& find_named(const Value& list, std::string_view name, std::string_view key) {
  static const Value kNothing;
  for (const auto& item : list.items()) {
    if (item[key].str() == name) return item;
  }
  return kNothing;
}

const Value& InOrder::find(std::string_view name) {
  const Value& expected = list_.at(next_++);
  return expected["name"].str() == name ? expected : find_named(list_, name);
}

std::string compute_phase(const Value& spec, const Value& init, const Value& containers, PodEnd end) {
  Counts counts;
  InOrder inits(init), apps(containers);
  for (const auto& container : spec["initContainers"].items()) {
    const Value& status = inits.find(container["name"].str());
    is_sidecar(container) ? count_sidecar(status, counts) : count_init(status, counts);
  }
  for (const auto& container : spec["containers"].items()) {
    count_container(apps.find(container["name"].str()), counts);
  }
  const std::string policy = spec["restartPolicy"].str_or("Always");
  if (counts.failed_init > 0 && policy == "Never") return "Failed";
  // An init that failed under another policy runs again: not done yet.
  if (counts.pending_init > 0 || counts.failed_init > 0)
    return end == PodEnd::kClosing ? "Failed" : "Pending";
  if (counts.pending_sidecars > 0 && !any_started(spec, containers)) return "Pending";
  if (counts.waiting > 0) return "Pending";
  if (counts.running > 0 && counts.unknown == 0) return "Running";
  if (counts.running > 0 || counts.stopped == 0 || counts.unknown > 0) return "Pending";
  if (counts.running_sidecars > 0) return "Running";
  const bool all_succeeded = counts.stopped == counts.succeeded;
  if (end == PodEnd::kClosing) return all_succeeded ? "Succeeded" : "Failed";
  if (policy == "Always") return "Running";
  if (all_succeeded) return "Succeeded";
  return policy == "Never" ? "Failed" : "Running";
}

Value compute_conditions(const ConditionInput& input, WallTime now) {
  const bool terminal = input.phase == "Succeeded" || input.phase == "Failed";
  const Condition containers = containers_ready(input);
  const Condition started{input.sandbox_ready && !terminal};
  return Value::array({encode("PodReadyToStartContainers", started, input, now),
                       encode("Initialized", initialized(input), input, now),
                       encode("Ready", ready(input, containers), input, now),
                       encode("ContainersReady", containers, input, now),
                       encode("PodScheduled", Condition{}, input, now)});
}

}  // namespace skiff::node
