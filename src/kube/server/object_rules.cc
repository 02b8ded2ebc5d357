#include "kube/server/object_rules.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kServerFields[] = {
    "uid",      "creationTimestamp",          "deletionTimestamp", "generation",
    "selfLink", "deletionGracePeriodSeconds", "managedFields"};

// What a client may write of the metadata of an object that is there.
constexpr std::string_view kClientFields[] = {"labels", "annotations", "finalizers", "ownerReferences"};

// What a write of the status leaves as it is of these.
bool status_keeps(const Kind& kind, std::string_view field) {
  if (kind.group == "apps" && kind.kind == "Deployment") return field == "labels";
  return kind.group.empty() && kind.kind == "Pod" && field == "ownerReferences";
}

// Kinds whose creator states the status at once.
bool creates_with_status(const Kind& kind) {
  return kind.group.empty() && kind.kind == "Node";
}

bool specs_differ(const Kind& kind, const json::Value& before, const json::Value& after) {
  static constexpr std::string_view kNotSpec[] = {"metadata", "status", "kind", "apiVersion"};
  // Without a subresource of its own the status is a field like others.
  const bool own_status = kind.custom && !kind.has_status;
  const auto counts = [&](const std::string& name) {
    if (name == "status" && own_status) return true;
    return std::ranges::find(kNotSpec, std::string_view(name)) == std::end(kNotSpec);
  };
  for (const auto& [name, value] : after.members()) {
    if (counts(name) && !(before[name] == value)) return true;
  }
  for (const auto& [name, value] : before.members()) {
    if (counts(name) && !after.contains(name)) return true;
  }
  return kind.group == "apps" && kind.kind == "Deployment" &&
         !(before["metadata"]["annotations"] == after["metadata"]["annotations"]);
}

void keep(const json::Value& from, json::Value& to, std::string_view name) {
  if (const auto* value = from.find(name)) {
    to.set(name, *value);
  } else {
    to.erase(name);
  }
}

}  // namespace

bool keeps_generation(const Kind& kind) {
  if (kind.custom) return true;
  static constexpr std::string_view kGroups[] = {"apps", "batch", "networking.k8s.io", "policy",
                                                 "apiextensions.k8s.io"};
  return std::ranges::find(kGroups, std::string_view(kind.group)) != std::end(kGroups);
}

bool creates_on_update(const Kind& kind) {
  static constexpr std::string_view kCore[] = {"Endpoints", "Event", "Service"};
  if (kind.group.empty()) return std::ranges::find(kCore, std::string_view(kind.kind)) != std::end(kCore);
  static constexpr std::string_view kWhole[] = {"coordination.k8s.io", "events.k8s.io",
                                                "rbac.authorization.k8s.io"};
  return std::ranges::find(kWhole, std::string_view(kind.group)) != std::end(kWhole);
}

bool needs_revision(const Kind& kind) {
  static constexpr std::string_view kGroups[] = {"apiextensions.k8s.io", "coordination.k8s.io"};
  return kind.custom || std::ranges::find(kGroups, std::string_view(kind.group)) != std::end(kGroups);
}

void prepare_create(const Kind& kind, json::Value& object, Random& random, WallTime now) {
  json::Value& metadata = object.edit("metadata");
  for (const auto name : kServerFields) metadata.erase(name);
  metadata.set("uid", make_uuid(random));
  metadata.set("creationTimestamp", format_rfc3339(now));
  if (keeps_generation(kind)) metadata.set("generation", 1);
  if (kind.has_status && !creates_with_status(kind)) object.erase("status");
}

void prepare_update(const Kind& kind, const json::Value& before, json::Value& after) {
  json::Value& metadata = after.edit("metadata");
  for (const auto name : kServerFields) keep(before["metadata"], metadata, name);
  metadata.erase("managedFields");
  if (kind.has_status) keep(before, after, "status");
  if (keeps_generation(kind) && specs_differ(kind, before, after)) {
    metadata.set("generation", before["metadata"]["generation"].as_int() + 1);
  }
}

void prepare_status(const Kind& kind, const json::Value& before, json::Value& after) {
  json::Value out = before;
  keep(after, out, "status");
  json::Value& metadata = out.edit("metadata");
  const bool definition = kind.group == "apiextensions.k8s.io";
  if (!kind.custom && !definition) {
    for (const auto name : kClientFields) {
      if (!status_keeps(kind, name)) keep(after["metadata"], metadata, name);
    }
  }
  keep(after["metadata"], metadata, "resourceVersion");
  // Given at creation, and not changed since.
  const bool pod = kind.group.empty() && kind.kind == "Pod";
  if (pod && out["status"]["qosClass"].empty() && !before["status"]["qosClass"].empty())
    out.edit("status").set("qosClass", before["status"]["qosClass"]);
  after = std::move(out);
}

std::vector<FieldError> check_metadata(const json::Value& object) {
  std::vector<FieldError> errors;
  const json::Value& metadata = object["metadata"];
  if (metadata["name"].str().empty()) {
    errors.push_back(
        {"FieldValueRequired", "metadata.name", "Required value: name or generateName is required"});
  }
  return errors;
}

}  // namespace skiff::kube
