#include <array>

#include "base/strings.h"
#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kColumns = std::to_array<Column>({{"Last Seen"},
                                                       {"Type"},
                                                       {"Reason"},
                                                       {"Object"},
                                                       {"Subobject", "string", "", 1},
                                                       {"Source", "string", "", 1},
                                                       {"Message"},
                                                       {"First Seen", "string", "", 1},
                                                       {"Count", "string", "", 1},
                                                       {"Name", "string", "name", 1}});

// The two event APIs name the same fields differently.
const json::Value& either(const json::Value& event, std::string_view core, std::string_view events) {
  const json::Value* value = event.find(core);
  return value != nullptr ? *value : event[events];
}

std::string source_of(const json::Value& event) {
  const auto& source = either(event, "source", "deprecatedSource");
  std::string component = source["component"].str(), instance = source["host"].str();
  if (component.empty()) {
    component = either(event, "reportingComponent", "reportingController").str();
    instance = event["reportingInstance"].str();
  }
  return instance.empty() ? component : component + ", " + instance;
}

json::Array event_cells(const json::Value& event, WallTime now) {
  const json::Value* first = &either(event, "firstTimestamp", "deprecatedFirstTimestamp");
  if (first->str().empty()) first = &event["eventTime"];
  const json::Value* last = &either(event, "lastTimestamp", "deprecatedLastTimestamp");
  if (last->str().empty()) last = first;
  int64_t count = either(event, "count", "deprecatedCount").as_int();
  if (const auto& series = event["series"]; series.is_object()) {
    last = &series["lastObservedTime"];
    count = series["count"].as_int();
  }
  const auto& about = either(event, "involvedObject", "regarding");
  std::string target = to_lower(about["kind"].str());
  if (!about["name"].str().empty()) target += "/" + about["name"].str();
  return {age_since(*last, now),
          event["type"].str(),
          event["reason"].str(),
          target,
          about["fieldPath"].str(),
          source_of(event),
          trim(either(event, "message", "note").str()),
          age_since(*first, now),
          count == 0 ? 1 : count,
          name_of(event)};
}

constexpr std::array kPrinters = std::to_array<Printer>(
    {{"", "Event", kColumns, event_cells}, {"events.k8s.io", "Event", kColumns, event_cells}});

}  // namespace

std::span<const Printer> event_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
