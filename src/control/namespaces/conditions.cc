#include "control/namespaces/conditions.h"

#include <fmt/format.h>

namespace skiff::control {

namespace {

struct Condition {
  const char *type, *status, *reason;
  std::string message;
};

std::string join_counts(const std::map<std::string, int64_t>& counts, const char* format) {
  std::vector<std::string> words;
  for (const auto& [what, count] : counts) words.push_back(fmt::format(fmt::runtime(format), what, count));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<Condition> wanted(const Remains& remains) {
  std::vector<Condition> out{
      {"NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered",
       "All resources successfully discovered"},
      {"NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
       "All legacy kube types successfully parsed"},
      {"NamespaceDeletionContentFailure", "False", "ContentDeleted",
       "All content successfully deleted, may be waiting on finalization"},
      {"NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"},
      {"NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers",
       "All content-preserving finalizers finished"}};
  if (!remains.failures.empty()) {
    out[2] = {out[2].type, "True", "ContentDeletionFailed",
              fmt::format("Failed to delete all resource types, {} remaining: {}", remains.failures.size(),
                          fmt::join(remains.failures, ", "))};
  }
  if (!remains.objects.empty()) {
    out[3] = {
        out[3].type, "True", "SomeResourcesRemain",
        "Some resources are remaining: " + join_counts(remains.objects, "{} has {} resource instances")};
  }
  if (!remains.finalizers.empty()) {
    out[4] = {out[4].type, "True", "SomeFinalizersRemain",
              "Some content in the namespace has finalizers remaining: " +
                  join_counts(remains.finalizers, "{} in {} resource instances")};
  }
  return out;
}

}  // namespace

Value namespace_conditions(const Value& before, const Remains& remains, WallTime now) {
  auto out = Value::array();
  for (const auto& condition : wanted(remains)) {
    const auto& old = find_condition(before, condition.type);
    const bool turned = old["status"].str() != condition.status;
    out.push_back(Value::object(
        {{"type", condition.type},
         {"status", condition.status},
         {"lastTransitionTime", turned ? Value(format_rfc3339(now)) : old["lastTransitionTime"]},
         {"reason", condition.reason},
         {"message", condition.message}}));
  }
  return out;
}

}  // namespace skiff::control
