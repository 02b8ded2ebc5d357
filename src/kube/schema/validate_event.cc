// Events. What is wrong is said with the names of v1, whichever group was asked, as upstream.
#include <fmt/format.h>

#include "kube/schema/event_names.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMaxName = 128;  // bytes of reportingInstance, action and reason
constexpr size_t kMaxNote = 1024;
constexpr int64_t kLeastSeries = 2;

void check_length(const Value& event, const char* field, size_t most, Findings& findings) {
  if (event[field].str().size() > most) {
    findings.invalid(field, Value(""), fmt::format("can have at most {} characters", most));
  }
}

void check_required(const Value& event, const char* field, Findings& findings) {
  if (event[field].str().empty()) findings.required(field);
  check_length(event, field, kMaxName, findings);
}

// What events of both groups must be; those with an eventTime come from recorders that say more.
void check_always(const Value& event, const char* controller_field, Findings& findings) {
  const auto& about = event["involvedObject"]["namespace"].str();
  const auto& own = event["metadata"]["namespace"].str();
  const bool timed = !event["eventTime"].str().empty();
  const bool homeless = about.empty() && own != "default" && !(timed && own == "kube-system");
  if (homeless || (!timed && !about.empty() && about != own)) {
    findings.invalid("involvedObject.namespace", Value(about), "does not match event.namespace");
  }
  if (!timed) return;
  const auto& controller = event["reportingComponent"];
  if (controller.str().empty()) findings.required(controller_field);
  findings.invalid_all(controller_field, Value(controller.str()), check_qualified_name(controller.str()));
  for (const char* field : {"reportingInstance", "action", "reason"}) check_required(event, field, findings);
  check_length(event, "message", kMaxNote, findings);
}

void check_series(const Value& series, Findings& findings) {
  if (series.is_null()) return;
  if (series["count"].as_int() < kLeastSeries) {
    findings.invalid("series.count", Value(""), fmt::format("should be at least {}", kLeastSeries));
  }
  if (series["lastObservedTime"].str().empty()) findings.required("series.lastObservedTime");
}

void check_created(const Value& event, Findings& findings) {
  check_series(event["series"], findings);
  if (event["eventTime"].str().empty()) findings.required("eventTime");
  const auto& type = event["type"].str();
  if (type != "Normal" && type != "Warning") {
    findings.invalid("type", Value(""), "has invalid value: " + type);
  }
  const auto refuse = [&](const char* field, bool set) {
    if (set) findings.invalid(field, Value(""), "needs to be unset");
  };
  refuse("firstTimestamp", !event["firstTimestamp"].str().empty());
  refuse("lastTimestamp", !event["lastTimestamp"].str().empty());
  refuse("count", event["count"].as_int() != 0);
  const auto& source = event["source"];
  refuse("source", !source["component"].str().empty() || !source["host"].str().empty());
}

void check_updated(const Value& event, const Value& before, Findings& findings) {
  if (!(event["series"] == before["series"])) check_series(event["series"], findings);
  for (const char* field :
       {"involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type",
        "eventTime", "action", "related", "reportingComponent", "reportingInstance"}) {
    if (event[field] == before[field]) continue;
    const bool controller = std::string_view(field) == "reportingComponent";
    findings.invalid(controller ? "reportingController" : field, event[field], "field is immutable");
  }
}

}  // namespace

void validate_event(const Value& event, const Value*, Findings& findings) {
  check_always(event, "reportingComponent", findings);
}

void validate_newer_event(const Value& newer, const Value* old, Findings& findings) {
  const Value event = to_core_event(newer);
  check_always(event, "reportingController", findings);
  if (old == nullptr) {
    check_created(event, findings);
  } else {
    check_updated(event, to_core_event(*old), findings);
  }
}

}  // namespace skiff::kube
