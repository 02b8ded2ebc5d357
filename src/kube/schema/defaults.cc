#include "kube/schema/defaults.h"

#include <map>
#include <string>

#include "base/strings.h"
#include "kube/schema/conform.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace defaults {

using json::Value;

void set_if_zero(Value& object, std::string_view key, Value value) {
  const auto& now = object[key];
  if (now.empty() || (now.is_number() && now.as_double() == 0)) object.set(key, std::move(value));
}

void set_if_absent(Value& object, std::string_view key, Value value) {
  if (object[key].is_null()) object.set(key, std::move(value));
}

void deployment(Value& deployment) {
  auto& spec = deployment.edit("spec");
  set_if_absent(spec, "replicas", 1);
  set_if_absent(spec, "revisionHistoryLimit", 10);
  set_if_absent(spec, "progressDeadlineSeconds", 600);
  auto& strategy = spec.edit("strategy");
  set_if_zero(strategy, "type", "RollingUpdate");
  if (strategy["type"].str() == "RollingUpdate") {
    auto& rolling = strategy.edit("rollingUpdate");
    set_if_absent(rolling, "maxUnavailable", "25%");
    set_if_absent(rolling, "maxSurge", "25%");
  }
  pod_spec(spec.edit("template").edit("spec"), PodSpecOf::kTemplate);
}

void replica_set(Value& replica_set) {
  auto& spec = replica_set.edit("spec");
  set_if_absent(spec, "replicas", 1);
  auto& labels = spec["template"]["metadata"]["labels"];
  if (spec["selector"].is_null() && !labels.empty())
    spec.set("selector", Value::object({{"matchLabels", labels}}));
  pod_spec(spec.edit("template").edit("spec"), PodSpecOf::kTemplate);
}

void secret(Value& secret) {
  set_if_zero(secret, "type", "Opaque");
  auto text = secret["stringData"];
  for (const auto& [key, value] : text.members()) secret.edit("data").set(key, base64_encode(value.str()));
  secret.erase("stringData");
}

void name_space(Value& name_space) {
  const auto name = name_space["metadata"]["name"].str();
  if (!name.empty()) {
    auto& labels = name_space.edit("metadata").edit("labels");
    set_if_zero(labels, "kubernetes.io/metadata.name", name);
  }
  set_if_zero(name_space.edit("status"), "phase", "Active");
}

void node(Value& node) {
  auto& spec = node.edit("spec");
  const auto range = spec["podCIDR"].str();
  if (!range.empty() && spec["podCIDRs"].empty()) spec.set("podCIDRs", Value::array({range}));
}

void role_binding(Value& binding) {
  constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
  set_if_zero(binding.edit("roleRef"), "apiGroup", kGroup);
  if (binding["subjects"].empty()) return;
  for (auto& subject : binding.edit("subjects").edit_items()) {
    const auto kind = subject["kind"].str();
    if (kind == "User" || kind == "Group") set_if_zero(subject, "apiGroup", kGroup);
  }
}

void ingress_class(Value& ingress_class) {
  if (ingress_class["spec"]["parameters"].is_null()) return;
  set_if_absent(ingress_class.edit("spec").edit("parameters"), "scope", "Cluster");
}

void custom_resource_definition(Value& definition) {
  auto& spec = definition.edit("spec");
  if (spec["conversion"].is_null()) spec.set("conversion", Value::object({{"strategy", "None"}}));
  auto& names = spec.edit("names");
  const auto kind = names["kind"].str();
  if (!kind.empty()) {
    set_if_zero(names, "singular", to_lower(kind));
    set_if_zero(names, "listKind", kind + "List");
  }
  auto& status = definition.edit("status");
  if (!status["storedVersions"].empty()) return;
  for (const auto& version : spec["versions"].items()) {
    if (version["storage"].as_bool()) status.set("storedVersions", Value::array({version["name"]}));
  }
}

}  // namespace defaults

namespace {

using Function = void (*)(json::Value&);

Function find_defaults(const Kind& kind) {
  static const std::map<std::string, Function, std::less<>> table = {
      {"/Pod", defaults::pod},
      {"apps/Deployment", defaults::deployment},
      {"apps/ReplicaSet", defaults::replica_set},
      {"/Service", defaults::service},
      {"/Endpoints", defaults::endpoints},
      {"discovery.k8s.io/EndpointSlice", defaults::endpoint_slice},
      {"/Secret", defaults::secret},
      {"/Namespace", defaults::name_space},
      {"/Node", defaults::node},
      {"rbac.authorization.k8s.io/RoleBinding", defaults::role_binding},
      {"rbac.authorization.k8s.io/ClusterRoleBinding", defaults::role_binding},
      {"networking.k8s.io/IngressClass", defaults::ingress_class},
      {"apiextensions.k8s.io/CustomResourceDefinition", defaults::custom_resource_definition},
  };
  auto found = table.find(kind.group + "/" + kind.kind);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace

void apply_defaults(const Kind& kind, json::Value& object) {
  if (kind.type == nullptr) {
    default_custom(kind.custom_schema, object);
    drop_nulls(kind.custom_schema, object);
    return;
  }
  auto function = find_defaults(kind);
  if (function == nullptr) return;
  function(object);
  // Puts the new fields where the server writes them.
  auto ordered = Conformer(nullptr).convert(*kind.type, object, FieldPath());
  if (ordered) object = std::move(*ordered);
}

}  // namespace skiff::kube
