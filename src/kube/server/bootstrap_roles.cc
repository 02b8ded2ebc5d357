#include "kube/server/bootstrap_roles.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr const char* kEdgeUser = "system:skiff:edge";
constexpr const char* kIssuerDiscovery = "system:service-account-issuer-discovery";
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

Value cluster_role(const std::string& name, std::vector<Value> rules) {
  return Value::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                        {"kind", "ClusterRole"},
                        {"metadata", named(name)},
                        {"rules", Value(std::move(rules))}});
}

// A role that also has the rules of those labelled for it: how extensions add to view, edit and admin. What
// is added to a role is part of the `wider` one, too ("" for none).
Value open_role(const std::string& name, const std::string& wider, std::vector<Value> rules) {
  const std::string prefix = "rbac.authorization.k8s.io/aggregate-to-";
  Value role = cluster_role(name, std::move(rules));
  const Value label = Value::object({{prefix + name, "true"}});
  const Value selector = Value::object({{"matchLabels", label}});
  role.set("aggregationRule", Value::object({{"clusterRoleSelectors", Value::array({selector})}}));
  if (!wider.empty()) role.edit("metadata").edit("labels").set(prefix + wider, "true");
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

Value all_verbs() {
  return strings({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"});
}

// What view shows: no Secrets, and no roles, which say where to look for them.
std::vector<Value> view_rules() {
  return {
      rule(strings({""}),
           strings({"bindings",
                    "configmaps",
                    "endpoints",
                    "events",
                    "limitranges",
                    "namespaces",
                    "namespaces/status",
                    "persistentvolumeclaims",
                    "persistentvolumeclaims/status",
                    "pods",
                    "pods/log",
                    "pods/status",
                    "replicationcontrollers",
                    "replicationcontrollers/scale",
                    "replicationcontrollers/status",
                    "resourcequotas",
                    "resourcequotas/status",
                    "serviceaccounts",
                    "services",
                    "services/status"}),
           read_verbs()),
      rule(strings({"discovery.k8s.io"}), strings({"endpointslices"}), read_verbs()),
      rule(strings({"apps"}),
           strings({"controllerrevisions", "daemonsets", "daemonsets/status", "deployments",
                    "deployments/scale", "deployments/status", "replicasets", "replicasets/scale",
                    "replicasets/status", "statefulsets", "statefulsets/scale", "statefulsets/status"}),
           read_verbs()),
      rule(strings({"autoscaling"}), strings({"horizontalpodautoscalers", "horizontalpodautoscalers/status"}),
           read_verbs()),
      rule(strings({"batch"}), strings({"cronjobs", "cronjobs/status", "jobs", "jobs/status"}), read_verbs()),
      rule(strings({"policy"}), strings({"poddisruptionbudgets", "poddisruptionbudgets/status"}),
           read_verbs()),
      rule(strings({"networking.k8s.io"}), strings({"ingresses", "ingresses/status", "networkpolicies"}),
           read_verbs()),
  };
}

// What edit writes: never a status, which controllers and the edge believe, and neither Endpoints nor
// EndpointSlices, with which traffic could be sent to any address (CVE-2021-25740).
std::vector<Value> edit_rules() {
  return {
      rule(strings({""}),
           strings(
               {"pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"}),
           read_verbs()),
      rule(strings({""}), strings({"serviceaccounts"}), strings({"impersonate"})),
      rule(
          strings({""}),
          strings({"configmaps", "events", "persistentvolumeclaims", "pods", "pods/attach", "pods/exec",
                   "pods/portforward", "pods/proxy", "replicationcontrollers", "replicationcontrollers/scale",
                   "secrets", "serviceaccounts", "services", "services/proxy"}),
          write_verbs()),
      rule(strings({""}), strings({"pods/eviction", "serviceaccounts/token"}), strings({"create"})),
      rule(strings({"apps"}),
           strings({"daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
                    "replicasets/scale", "statefulsets", "statefulsets/scale"}),
           write_verbs()),
      rule(strings({"autoscaling"}), strings({"horizontalpodautoscalers"}), write_verbs()),
      rule(strings({"batch"}), strings({"cronjobs", "jobs"}), write_verbs()),
      rule(strings({"policy"}), strings({"poddisruptionbudgets"}), write_verbs()),
      rule(strings({"networking.k8s.io"}), strings({"ingresses", "networkpolicies"}), write_verbs()),
      rule(strings({"coordination.k8s.io"}), strings({"leases"}), all_verbs()),
  };
}

// Besides, admin gives rights in its namespace to others: those that it has.
std::vector<Value> admin_rules() {
  return {
      rule(strings({"authorization.k8s.io"}), strings({"localsubjectaccessreviews"}), strings({"create"})),
      rule(strings({"rbac.authorization.k8s.io"}), strings({"rolebindings", "roles"}), all_verbs())};
}

std::vector<Value> joined(std::vector<Value> rules, const std::vector<Value>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
  return rules;
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
  const Value kept = strings({"create", "delete", "get", "list", "patch", "watch"});
  return cluster_role(kPlatformUser,
                      {rule(core, strings({"namespaces", "pods", "services"}), kept),
                       // By their names, which it knows: it can't look for others.
                       rule(core, strings({"secrets"}), strings({"create", "delete", "get"})),
                       rule(core, strings({"pods/log"}), strings({"get"})),
                       // What the node tells of the pods of builds.
                       rule(core, strings({"events"}), strings({"get", "list", "watch"})),
                       rule(strings({"apps"}), strings({"deployments"}), kept),
                       rule(strings({"networking.k8s.io"}), strings({"ingresses"}), kept),
                       rule(strings({"apiextensions.k8s.io"}), strings({"customresourcedefinitions"}),
                            strings({"create", "get", "list", "patch", "update", "watch"})),
                       rule(strings({"skiff.dev"}), strings({"*"}), all_verbs())});
}

}  // namespace

std::vector<Value> bootstrap_cluster_roles() {
  const Value all = strings({"*"});
  const Value reviews =
      rule(strings({"authorization.k8s.io"}),
           strings({"selfsubjectaccessreviews", "selfsubjectrulesreviews"}), strings({"create"}));
  const Value whoami =
      rule(strings({"authentication.k8s.io"}), strings({"selfsubjectreviews"}), strings({"create"}));
  return {
      cluster_role("cluster-admin", {rule(all, all, all), paths_rule(all, all)}),
      open_role("view", "edit", view_rules()),
      open_role("edit", "admin", joined(view_rules(), edit_rules())),
      open_role("admin", "", joined(joined(view_rules(), edit_rules()), admin_rules())),
      cluster_role("system:discovery",
                   {paths_rule(strings({"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez",
                                        "/openapi", "/openapi/*", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      cluster_role("system:basic-user", {reviews, whoami}),
      cluster_role("system:public-info-viewer",
                   {paths_rule(strings({"/healthz", "/livez", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      cluster_role(kIssuerDiscovery, {paths_rule(strings({"/.well-known/openid-configuration",
                                                          "/.well-known/openid-configuration/",
                                                          "/openid/v1/jwks", "/openid/v1/jwks/"}),
                                                 strings({"get"}))}),
      edge_role(),
      platform_role(),
  };
}

std::vector<Value> bootstrap_cluster_role_bindings() {
  return {cluster_binding("cluster-admin", "cluster-admin", "Group", "system:masters"),
          cluster_binding("system:discovery", "system:discovery", "Group", "system:authenticated"),
          cluster_binding("system:basic-user", "system:basic-user", "Group", "system:authenticated"),
          cluster_binding(kIssuerDiscovery, kIssuerDiscovery, "Group", "system:serviceaccounts"),
          cluster_binding(kEdgeUser, kEdgeUser, "User", kEdgeUser),
          cluster_binding(kPlatformUser, kPlatformUser, "User", kPlatformUser)};
}

}  // namespace skiff::kube
