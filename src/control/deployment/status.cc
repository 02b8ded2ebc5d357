#include "control/deployment/status.h"

#include <limits>

#include "control/deployment/rounding.h"

namespace skiff::control {

namespace {

int64_t count(const Value& status, const char* field) {
  return status[field].as_int();
}

bool made_progress(const Value& before, const Value& after) {
  return count(after, "updatedReplicas") > count(before, "updatedReplicas") ||
         count(after, "replicas") - count(after, "updatedReplicas") <
             count(before, "replicas") - count(before, "updatedReplicas") ||
         count(after, "readyReplicas") > count(before, "readyReplicas") ||
         count(after, "availableReplicas") > count(before, "availableReplicas");
}

bool timed_out(const Value& deployment, const Value& status, WallTime now) {
  const auto& condition = find_condition(status, "Progressing");
  if (condition.is_null() || condition["reason"].str() == "NewReplicaSetAvailable") return false;
  if (condition["reason"].str() == "ProgressDeadlineExceeded") return true;
  const auto since = read_time(condition["lastUpdateTime"]);
  return since && *since + std::chrono::seconds(deployment["spec"]["progressDeadlineSeconds"].as_int()) < now;
}

std::string subject(const Value& deployment, const DeploymentSets& sets) {
  return sets.fresh ? "ReplicaSet \"" + name_of(*sets.fresh) + "\""
                    : "Deployment \"" + name_of(deployment) + "\"";
}

void estimate_progress(const Value& deployment, const DeploymentSets& sets, WallTime now, Value& status) {
  const auto& current = find_condition(deployment["status"], "Progressing");
  if (count(status, "replicas") == count(status, "updatedReplicas") &&
      current["reason"].str() == "NewReplicaSetAvailable") {
    return;
  }
  const auto who = subject(deployment, sets);
  if (is_complete(deployment, status)) {
    set_condition(status, make_condition("Progressing", "True", "NewReplicaSetAvailable",
                                         who + " has successfully progressed.", now));
  } else if (made_progress(deployment["status"], status)) {
    auto condition =
        make_condition("Progressing", "True", "ReplicaSetUpdated", who + " is progressing.", now);
    if (current["status"].str() == "True") {
      condition.set("lastTransitionTime", current["lastTransitionTime"]);
    }
    // Removed first: the same reason again still renews lastUpdateTime.
    remove_condition(status, "Progressing");
    set_condition(status, std::move(condition));
  } else if (timed_out(deployment, status, now)) {
    set_condition(status, make_condition("Progressing", "False", "ProgressDeadlineExceeded",
                                         who + " has timed out progressing.", now));
  }
}

Value find_failure(const DeploymentSets& sets) {
  if (sets.fresh) {
    const auto& failure = find_condition(*sets.fresh, "ReplicaFailure");
    if (!failure.is_null()) return failure;
  }
  for (const auto& set : sets.all) {
    const auto& failure = find_condition(set, "ReplicaFailure");
    if (!failure.is_null()) return failure;
  }
  return {};
}

}  // namespace

bool has_deadline(const Value& deployment) {
  const auto& deadline = deployment["spec"]["progressDeadlineSeconds"];
  return deadline.is_number() && deadline.as_int() != std::numeric_limits<int32_t>::max();
}

Value make_condition(std::string_view type, std::string_view status, std::string_view reason,
                     std::string message, WallTime now) {
  const auto at = format_rfc3339(now);
  return Value::object({{"type", std::string(type)},
                        {"status", std::string(status)},
                        {"lastUpdateTime", at},
                        {"lastTransitionTime", at},
                        {"reason", std::string(reason)},
                        {"message", std::move(message)}});
}

void remove_condition(Value& status, std::string_view type) {
  const auto& items = status["conditions"].items();
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i]["type"].str() != type) continue;
    status.edit("conditions").erase_at(i);
    if (status["conditions"].size() == 0) status.erase("conditions");
    return;
  }
}

void set_condition(Value& status, Value condition) {
  const Value current = find_condition(status, condition["type"].str());
  if (current["status"] == condition["status"] && current["reason"] == condition["reason"]) return;
  if (current["status"] == condition["status"]) {
    condition.set("lastTransitionTime", current["lastTransitionTime"]);
  }
  remove_condition(status, condition["type"].str());
  status.edit("conditions").push_back(std::move(condition));
}

Value next_status(const Value& deployment, const DeploymentSets& sets, WallTime now) {
  int64_t replicas = 0, ready = 0, available = 0, wanted = 0;
  for (const auto& set : sets.all) {
    replicas += set["status"]["replicas"].as_int();
    ready += set["status"]["readyReplicas"].as_int();
    available += set["status"]["availableReplicas"].as_int();
    wanted += set["spec"]["replicas"].as_int();
  }
  auto status = deployment["status"];
  const auto put = [&status](const char* field, int64_t value) {
    if (value > 0) {
      status.set(field, value);
    } else if (status.contains(field)) {
      status.erase(field);
    }
  };
  put("observedGeneration", deployment["metadata"]["generation"].as_int());
  put("replicas", replicas);
  put("updatedReplicas", sets.fresh ? (*sets.fresh)["status"]["replicas"].as_int() : 0);
  put("readyReplicas", ready);
  put("availableReplicas", available);
  put("unavailableReplicas", wanted - available);
  const auto least = deployment["spec"]["replicas"].as_int(1) - deployment_bounds(deployment).unavailable;
  if (available >= least) {
    set_condition(status, make_condition("Available", "True", "MinimumReplicasAvailable",
                                         "Deployment has minimum availability.", now));
  } else {
    set_condition(status, make_condition("Available", "False", "MinimumReplicasUnavailable",
                                         "Deployment does not have minimum availability.", now));
  }
  return status;
}

Value next_rollout_status(const Value& deployment, const DeploymentSets& sets, WallTime now) {
  auto status = next_status(deployment, sets, now);
  if (has_deadline(deployment)) {
    estimate_progress(deployment, sets, now, status);
  } else {
    remove_condition(status, "Progressing");
  }
  const auto failure = find_failure(sets);
  if (failure.is_null()) {
    remove_condition(status, "ReplicaFailure");
  } else {
    auto condition = failure;
    if (!condition.contains("lastUpdateTime")) {
      condition.set("lastUpdateTime", condition["lastTransitionTime"]);
    }
    set_condition(status, std::move(condition));
  }
  return status;
}

bool is_complete(const Value& deployment, const Value& status) {
  const auto desired = deployment["spec"]["replicas"].as_int(1);
  return count(status, "updatedReplicas") == desired && count(status, "replicas") == desired &&
         count(status, "availableReplicas") == desired &&
         count(status, "observedGeneration") >= deployment["metadata"]["generation"].as_int();
}

std::optional<Duration> deadline_left(const Value& deployment, const Value& status, WallTime now) {
  using namespace std::chrono_literals;
  constexpr Duration kSoon = 200ms;  // the deadline is all but reached: look again at once
  if (!has_deadline(deployment) || is_complete(deployment, status)) return std::nullopt;
  const auto& condition = find_condition(status, "Progressing");
  const auto since = read_time(condition["lastUpdateTime"]);
  const auto& reason = condition["reason"].str();
  if (!since || reason == "ProgressDeadlineExceeded" || reason == "NewReplicaSetAvailable")
    return std::nullopt;
  const Duration left =
      *since + std::chrono::seconds(deployment["spec"]["progressDeadlineSeconds"].as_int()) - now;
  if (left < 1s) return kSoon;
  return left + 1s;
}

}  // namespace skiff::control
