#include "control/expiry/plan.h"

#include <algorithm>

namespace skiff::control {

namespace {

constexpr Duration kLifetime = std::chrono::hours(1);
constexpr Duration kRound =
    std::chrono::minutes(5);  // between two looks; Events are listed for each, not watched

std::optional<WallTime> last_counted(const Value& event) {
  std::optional<WallTime> last;
  for (const Value& text : {event["metadata"]["creationTimestamp"], event["eventTime"],
                            event["lastTimestamp"], event["series"]["lastObservedTime"]}) {
    const auto time = read_time(text);
    if (time && (!last || *time > *last)) last = time;
  }
  return last;
}

}  // namespace

Plan plan_expiry(const std::vector<Value>& events, WallTime now) {
  Plan plan;
  plan.again = kRound;
  for (const auto& event : events) {
    const auto last = last_counted(event);
    if (!last || *last + kLifetime > now) continue;
    plan.actions.push_back(remove(path_of("/api/v1", "events", namespace_of(event), name_of(event))));
  }
  return plan;
}

}  // namespace skiff::control
