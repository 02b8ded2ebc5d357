#include "kube/server/bootstrap_roles.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr const char* kEdgeUser = "system:skiff:edge";
constexpr const char* kPlatformUser = "system:skiff:platform";

Value strings(std::initializer_list<const char*> items) {
  Value out = Value::array();
  for (const char* item : items) out.push_back(item);
  return out;
}

Value rule(Value groups, Value resources, Value verbs) {
  return Value::object(
      {{"apiGroups", std::move(groups)}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}});
}

Value paths_rule(Value paths, Value verbs) {
  return Value::object({{"nonResourceURLs", std::move(paths)}, {"verbs", std::move(verbs)}});
}

Value named(const std::string& name) {
  return Value::object(
      {{"name", name}, {"labels", Value::object({{"kubernetes.io/bootstrapping", "rbac-defaults"}})}});
}

Value cluster_role(const std::string& name, std::initializer_list<Value> rules) {
  return Value::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                        {"kind", "ClusterRole"},
                        {"metadata", named(name)},
                        {"rules", Value::array(rules)}});
}

// A role that also has the rules of those labelled for it: how extensions add to view, edit and admin.
Value open_role(const std::string& name, std::initializer_list<Value> rules) {
  Value role = cluster_role(name, rules);
  const Value label = Value::object({{"rbac.authorization.k8s.io/aggregate-to-" + name, "true"}});
  const Value selector = Value::object({{"matchLabels", label}});
  role.set("aggregationRule", Value::object({{"clusterRoleSelectors", Value::array({selector})}}));
  return role;
}

Value cluster_binding(const std::string& name, const std::string& role, const char* kind,
                      const std::string& subject_name) {
  const Value subject =
      Value::object({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", subject_name}});
  return Value::object(
      {{"apiVersion", "rbac.authorization.k8s.io/v1"},
       {"kind", "ClusterRoleBinding"},
       {"metadata", named(name)},
       {"roleRef",
        Value::object({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}})},
       {"subjects", Value::array({subject})}});
}

Value read_verbs() {
  return strings({"get", "list", "watch"});
}
Value write_verbs() {
  return strings({"create", "delete", "deletecollection", "patch", "update"});
}

// What view shows: no secrets.
Value view_core() {
  return strings({"configmaps", "endpoints", "pods", "pods/log", "pods/status", "services", "services/status",
                  "serviceaccounts", "events", "namespaces", "namespaces/status"});
}
Value workload_groups() {
  return strings({"apps", "autoscaling", "batch", "networking.k8s.io", "policy", "discovery.k8s.io"});
}
Value edit_core() {
  return strings({"configmaps", "endpoints", "pods", "pods/eviction", "services", "secrets",
                  "serviceaccounts", "events"});
}

Value all_verbs() {
  return strings({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"});
}

// The edge makes routes of what it reads and writes nothing; it sees no Secret.
Value edge_role() {
  return cluster_role(
      kEdgeUser,
      {rule(strings({""}), strings({"namespaces", "pods", "services"}), read_verbs()),
       rule(strings({"discovery.k8s.io"}), strings({"endpointslices"}), read_verbs()),
       rule(strings({"networking.k8s.io"}), strings({"ingresses", "ingressclasses"}), read_verbs())});
}

// The platform keeps apps: a namespace each, with what it holds, and the kinds of its own.
Value platform_role() {
  const Value core = strings({""});
  return cluster_role(
      kPlatformUser,
      {rule(core, strings({"namespaces", "secrets", "services"}), all_verbs()),
       rule(core, strings({"pods"}), strings({"create", "delete", "get", "list", "patch", "watch"})),
       rule(core, strings({"pods/log"}), strings({"get"})),
       rule(strings({"apps"}), strings({"deployments"}), all_verbs()),
       rule(strings({"networking.k8s.io"}), strings({"ingresses"}), all_verbs()),
       rule(strings({"apiextensions.k8s.io"}), strings({"customresourcedefinitions"}),
            strings({"create", "get", "list", "patch", "update", "watch"})),
       rule(strings({"skiff.dev"}), strings({"*"}), all_verbs())});
}

}  // namespace

std::vector<Value> bootstrap_cluster_roles() {
  const Value core = strings({""});
  const Value all = strings({"*"});
  const Value secrets = rule(core, strings({"secrets"}), read_verbs());
  const Value view = rule(core, view_core(), read_verbs());
  const Value view_work = rule(workload_groups(), all, read_verbs());
  const Value edit = rule(core, edit_core(), write_verbs());
  const Value edit_work = rule(workload_groups(), all, write_verbs());
  const Value tokens = rule(core, strings({"serviceaccounts/token"}), strings({"create"}));
  const Value roles = rule(strings({"rbac.authorization.k8s.io"}), strings({"roles", "rolebindings"}),
                           strings({"get", "list", "watch"}));
  const Value reviews =
      rule(strings({"authorization.k8s.io"}),
           strings({"selfsubjectaccessreviews", "selfsubjectrulesreviews"}), strings({"create"}));
  const Value whoami =
      rule(strings({"authentication.k8s.io"}), strings({"selfsubjectreviews"}), strings({"create"}));
  return {
      cluster_role("cluster-admin", {rule(all, all, all), paths_rule(all, all)}),
      open_role("view", {view, view_work}),
      open_role("edit", {view, view_work, secrets, edit, edit_work, tokens}),
      open_role("admin", {view, view_work, secrets, edit, edit_work, tokens, roles}),
      cluster_role("system:discovery",
                   {paths_rule(strings({"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez",
                                        "/openapi", "/openapi/*", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      cluster_role("system:basic-user", {reviews, whoami}),
      cluster_role("system:public-info-viewer",
                   {paths_rule(strings({"/healthz", "/livez", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      edge_role(),
      platform_role(),
  };
}

std::vector<Value> bootstrap_cluster_role_bindings() {
  return {cluster_binding("cluster-admin", "cluster-admin", "Group", "system:masters"),
          cluster_binding("system:discovery", "system:discovery", "Group", "system:authenticated"),
          cluster_binding("system:basic-user", "system:basic-user", "Group", "system:authenticated"),
          cluster_binding(kEdgeUser, kEdgeUser, "User", kEdgeUser),
          cluster_binding(kPlatformUser, kPlatformUser, "User", kPlatformUser)};
}

}  // namespace skiff::kube
