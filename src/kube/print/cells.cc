#include "kube/print/cells.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "kube/print/table.h"
#include "kube/selector/selector.h"

namespace skiff::kube {

const json::Value& name_of(const json::Value& object) {
  return object["metadata"]["name"];
}

std::string age_since(const json::Value& time, WallTime now) {
  auto parsed = parse_rfc3339(time.str());
  return parsed ? human_duration(now - *parsed) : "<unknown>";
}

std::string age_of(const json::Value& object, WallTime now) {
  return age_since(object["metadata"]["creationTimestamp"], now);
}

std::string or_none(std::string text) {
  return text.empty() ? "<none>" : std::move(text);
}

std::vector<std::string> texts_of(const json::Value& list, std::string_view member) {
  std::vector<std::string> result;
  for (const auto& item : list.items()) result.push_back(item[member].str());
  return result;
}

std::string labels_text(const json::Value& labels) {
  return or_none(LabelSelector::from_map(labels).to_string());
}

std::string selector_text(const json::Value& selector) {
  auto parsed = LabelSelector::from_object(selector);
  return parsed ? or_none(parsed->to_string()) : "<error>";
}

std::string first_three(const std::vector<std::string>& items) {
  constexpr size_t kShown = 3;
  if (items.size() <= kShown) return join(items, ",");
  return fmt::format("{} + {} more...", join({items.begin(), items.begin() + kShown}, ","),
                     items.size() - kShown);
}

}  // namespace skiff::kube
