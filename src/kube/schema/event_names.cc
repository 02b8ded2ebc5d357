#include "kube/schema/event_names.h"

#include <array>

namespace skiff::kube {

namespace {

using json::Value;

struct Names {
  std::string_view core, newer;
};
constexpr std::array kNames = std::to_array<Names>({
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"reportingComponent", "reportingController"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
});

Value renamed(const Value& event, std::string_view Names::* from, std::string_view Names::* to,
              std::string_view version) {
  json::Members members;
  for (const auto& [name, value] : event.members()) {
    std::string other = name;
    for (const auto& names : kNames) {
      if (names.*from == name) other = names.*to;
    }
    members.emplace_back(std::move(other), value);
  }
  Value out = Value::object(std::move(members));
  out.set("apiVersion", version);
  return out;
}

}  // namespace

bool is_newer_event(const Kind& kind) {
  return !kind.custom && kind.group == "events.k8s.io" && kind.kind == "Event";
}

Value to_core_event(const Value& newer) {
  return renamed(newer, &Names::newer, &Names::core, "v1");
}

Value to_newer_event(const Value& core) {
  return renamed(core, &Names::core, &Names::newer, "events.k8s.io/v1");
}

}  // namespace skiff::kube
