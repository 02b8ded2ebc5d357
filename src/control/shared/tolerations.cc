#include "control/shared/tolerations.h"

#include <algorithm>

namespace skiff::control {

bool tolerates(const Value& toleration, const Value& taint) {
  const auto& effect = toleration["effect"].str();
  if (!effect.empty() && effect != taint["effect"].str()) return false;
  const auto& key = toleration["key"].str();
  const bool exists = toleration["operator"].str() == "Exists";
  if (key.empty()) return exists;
  return key == taint["key"].str() && (exists || toleration["value"].str() == taint["value"].str());
}

bool pod_tolerates(const Value& pod, const Value& taint) {
  return std::ranges::any_of(pod["spec"]["tolerations"].items(),
                             [&](const Value& toleration) { return tolerates(toleration, taint); });
}

std::optional<Duration> time_to_stay(const Value& pod, const std::vector<Value>& taints) {
  std::optional<Duration> shortest;
  for (const auto& taint : taints) {
    if (!pod_tolerates(pod, taint)) return Duration(0);
    for (const auto& toleration : pod["spec"]["tolerations"].items()) {
      if (!tolerates(toleration, taint) || toleration["tolerationSeconds"].is_null()) continue;
      const Duration limit =
          std::chrono::seconds(std::max<int64_t>(0, toleration["tolerationSeconds"].as_int()));
      if (!shortest || limit < *shortest) shortest = limit;
    }
  }
  return shortest;
}

}  // namespace skiff::control
