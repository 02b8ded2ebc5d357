#include "platform/dynos/dyno_names.h"

#include <fmt/core.h>

#include <set>

#include "base/strings.h"
#include "platform/apps/manifests.h"

namespace skiff::platform {

using json::Value;

namespace {

constexpr const char* kTemplateLabel = "pod-template-hash";

bool is_live(const Value& pod) {
  const std::string& phase = pod["status"]["phase"].str();
  return !pod["metadata"].contains("deletionTimestamp") && phase != "Failed" && phase != "Succeeded";
}

bool share_numbers(const Value& a, const Value& b) {
  const Value &one = a["metadata"]["labels"], &two = b["metadata"]["labels"];
  return one[kProcessLabel] == two[kProcessLabel] && one[kTemplateLabel] == two[kTemplateLabel];
}

}  // namespace

int dyno_number(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return 0;
  return static_cast<int>(parse_uint(name.substr(dot + 1)).value_or(0));
}

std::string fallback_dyno_name(const Value& pod) {
  const std::string& name = pod["metadata"]["name"].str();
  return pod["metadata"]["labels"][kProcessLabel].str() + "." + name.substr(name.rfind('-') + 1);
}

std::string DynoNames::find(const Value& pod) const {
  if (const auto found = given_.find(pod["metadata"]["uid"].str()); found != given_.end())
    return found->second;
  return pod["metadata"]["annotations"][kDynoAnnotation].str();
}

std::string DynoNames::assign(const Value& pod, const std::vector<Value>& pods) {
  std::set<int> taken;
  for (const auto& other : pods) {
    if (is_live(other) && share_numbers(pod, other)) taken.insert(dyno_number(find(other)));
  }
  int number = 1;
  while (taken.contains(number)) ++number;
  const auto name = fmt::format("{}.{}", pod["metadata"]["labels"][kProcessLabel].str(), number);
  given_[pod["metadata"]["uid"].str()] = name;
  return name;
}

Value dyno_name_patch(const std::string& name) {
  const Value annotations =
      Value::object({{kDynoAnnotation, name},
                     {"controller.kubernetes.io/pod-deletion-cost", std::to_string(-dyno_number(name))}});
  return Value::object({{"metadata", Value::object({{"annotations", annotations}})}});
}

}  // namespace skiff::platform
