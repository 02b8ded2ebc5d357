#include <algorithm>

#include <fmt/format.h>

#include <string_view>
#include <unordered_set>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMaxAnnotationBytes = 256 * 1024;

Details check_name(const Kind& kind, std::string_view name) {
  if (kind.group.empty() && kind.kind == "Namespace") return check_dns_label(name);
  if (kind.group.empty() && kind.kind == "Service") return check_dns_1035_label(name);
  const bool event = kind.group.empty() && kind.kind == "Event";
  if (event || kind.group == "rbac.authorization.k8s.io") return check_path_segment(name);
  return check_dns_subdomain(name);
}

void check_names(const Kind& kind, const Value& metadata, Findings& findings) {
  auto prefix = metadata["generateName"].str();
  if (!prefix.empty()) {
    // The random letters that follow make a trailing hyphen good.
    auto masked = prefix.ends_with('-') ? prefix.substr(0, prefix.size() - 1) + "a" : prefix;
    findings.invalid_all("metadata.generateName", Value(prefix), check_name(kind, masked));
  }
  const auto& name = metadata["name"].str();
  if (name.empty()) {
    findings.required("metadata.name", "name or generateName is required");
  } else {
    findings.invalid_all("metadata.name", Value(name), check_name(kind, name));
  }
  const auto& name_space = metadata["namespace"].str();
  if (!kind.namespaced && !name_space.empty()) {
    findings.forbidden("metadata.namespace", "not allowed on this type");
  } else if (!name_space.empty()) {
    findings.invalid_all("metadata.namespace", Value(name_space), check_dns_label(name_space));
  }
}

void check_annotations(const Value& annotations, Findings& findings) {
  size_t bytes = 0;
  for (const auto& [key, value] : annotations.members()) {
    findings.invalid_all("metadata.annotations", Value(key), check_qualified_name(to_lower(key)));
    bytes += key.size() + value.str().size();
  }
  if (bytes > kMaxAnnotationBytes) findings.too_long("metadata.annotations", kMaxAnnotationBytes);
}

void check_owners(const Value& owners, Findings& findings) {
  const std::string field = "metadata.ownerReferences";
  const Value* controller = nullptr;
  for (const auto& owner : owners.items()) {
    if (owner["apiVersion"].empty())
      findings.invalid(field + ".apiVersion", Value(""), "version must not be empty");
    for (auto name : {"kind", "name", "uid"}) {
      if (owner[name].empty()) {
        findings.invalid(fmt::format("{}.{}", field, name), Value(""),
                         fmt::format("{} must not be empty", name));
      }
    }
    if (!owner["controller"].as_bool()) continue;
    if (controller != nullptr) {
      findings.invalid(
          field, owners,
          fmt::format("Only one reference can have Controller set to true. Found \"true\" in references "
                      "for {}/{} and {}/{}",
                      (*controller)["kind"].str(), (*controller)["name"].str(), owner["kind"].str(),
                      owner["name"].str()));
    }
    controller = &owner;
  }
}

void check_finalizers(const Value& metadata, const Value* old, Findings& findings) {
  const auto& finalizers = metadata["finalizers"];
  size_t index = 0;
  for (const auto& finalizer : finalizers.items()) {
    auto field = fmt::format("metadata.finalizers[{}]", index++);
    const auto& name = finalizer.str();
    findings.invalid_all(field, finalizer, check_qualified_name(name));
    bool standard = name == "kubernetes" || name == "foregroundDeletion" || name == "orphan";
    if (!standard && !name.contains('/')) {
      findings.invalid(field, finalizer,
                       "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
  if (old == nullptr || (*old)["metadata"]["deletionTimestamp"].is_null()) return;
  std::unordered_set<std::string_view> before;
  for (const auto& finalizer : (*old)["metadata"]["finalizers"].items()) before.insert(finalizer.str());
  std::vector<std::string> added;
  for (const auto& finalizer : finalizers.items()) {
    if (!before.contains(finalizer.str())) added.push_back(json::encode(finalizer));
  }
  if (added.empty()) return;
  findings.forbidden(
      "metadata.finalizers",
      fmt::format("no new finalizers can be added if the object is being deleted, found new finalizers "
                  "[]string{{{}}}",
                  join(added, ", ")));
}

void check_unchanged(const Value& metadata, const Value& before, Findings& findings) {
  for (auto name : {"name", "namespace", "uid", "creationTimestamp"}) {
    if (metadata[name].empty() || before[name].empty() || metadata[name] == before[name]) continue;
    findings.invalid(fmt::format("metadata.{}", name), metadata[name], "field is immutable");
  }
}

}  // namespace

void validate_labels(const Value& labels, const std::string& field, Findings& findings) {
  for (const auto& [key, value] : labels.members()) {
    findings.invalid_all(field, Value(key), check_qualified_name(key));
    findings.invalid_all(field, value, check_label_value(value.str()));
  }
}

void validate_metadata(const Kind& kind, const Value& object, const Value* old, Findings& findings) {
  const auto& metadata = object["metadata"];
  check_names(kind, metadata, findings);
  validate_labels(metadata["labels"], "metadata.labels", findings);
  check_annotations(metadata["annotations"], findings);
  check_owners(metadata["ownerReferences"], findings);
  check_finalizers(metadata, old, findings);
  if (old != nullptr) check_unchanged(metadata, (*old)["metadata"], findings);
}

std::string go_map(const Value& map) {
  if (map.empty()) return "map[string]string(nil)";
  auto members = map.members();
  std::ranges::sort(members, {}, &json::Member::first);
  std::vector<std::string> parts;
  for (const auto& [key, value] : members) {
    parts.push_back(json::encode(Value(key)) + ":" + json::encode(value));
  }
  return fmt::format("map[string]string{{{}}}", join(parts, ", "));
}

}  // namespace skiff::kube
