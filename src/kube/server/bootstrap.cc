#include "kube/server/bootstrap.h"

#include "base/strings.h"

namespace skiff::kube {

namespace {

using json::Value;

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

Value cluster_binding(const std::string& name, const std::string& role, const char* group) {
  const Value subject =
      Value::object({{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Group"}, {"name", group}});
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

std::vector<Value> cluster_roles() {
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
      cluster_role("view", {view, view_work}),
      cluster_role("edit", {view, view_work, secrets, edit, edit_work, tokens}),
      cluster_role("admin", {view, view_work, secrets, edit, edit_work, tokens, roles}),
      cluster_role("system:discovery",
                   {paths_rule(strings({"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez",
                                        "/openapi", "/openapi/*", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      cluster_role("system:basic-user", {reviews, whoami}),
      cluster_role("system:public-info-viewer",
                   {paths_rule(strings({"/healthz", "/livez", "/readyz", "/version", "/version/"}),
                               strings({"get"}))}),
      cluster_role(
          "system:node",
          {rule(core, strings({"nodes", "nodes/status"}),
                strings({"get", "list", "watch", "create", "patch", "update"})),
           rule(core, strings({"pods"}), strings({"get", "list", "watch", "create", "delete"})),
           rule(core, strings({"pods/status"}), strings({"patch", "update"})),
           rule(core,
                strings({"services", "endpoints", "configmaps", "secrets", "serviceaccounts", "namespaces"}),
                read_verbs()),
           rule(core, strings({"serviceaccounts/token"}), strings({"create"})),
           rule(strings({"", "events.k8s.io"}), strings({"events"}), strings({"create", "patch", "update"})),
           rule(strings({"discovery.k8s.io"}), strings({"endpointslices"}), read_verbs()),
           rule(strings({"coordination.k8s.io"}), strings({"leases"}),
                strings({"get", "create", "update", "patch", "delete"}))}),
  };
}

std::vector<Value> cluster_bindings() {
  return {cluster_binding("cluster-admin", "cluster-admin", "system:masters"),
          cluster_binding("system:discovery", "system:discovery", "system:authenticated"),
          cluster_binding("system:basic-user", "system:basic-user", "system:authenticated"),
          cluster_binding("system:node", "system:node", "system:nodes")};
}

io::Task<Result<void>> ensure(Objects& objects, Target target, Value object) {
  target.name = object["metadata"]["name"].str();
  if (!target.kind) co_return fail(Code::kInternal, "no kind for " + target.name);
  if (objects.store().get(object_path(target))) co_return Result<void>();
  Target collection = target;
  collection.name.clear();
  WriteOptions options;
  auto created = co_await objects.create(collection, std::move(object), options);
  if (!created && created.error().code != Code::kAlreadyExists) co_return wrap(created.error(), "bootstrap");
  co_return Result<void>();
}

// The first address of the service range, as every client expects.
std::string first_address(const std::string& range) {
  const std::string base(split_once(range, "/").before);
  const size_t dot = base.rfind('.');
  const auto last = parse_uint(std::string_view(base).substr(dot + 1)).value_or(0);
  return base.substr(0, dot + 1) + std::to_string(last + 1);
}

Value own_service(const ServerOptions& options) {
  const Value port = Value::object(
      {{"name", "https"}, {"protocol", "TCP"}, {"port", 443}, {"targetPort", options.secure_port}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata",
        Value::object({{"name", "kubernetes"},
                       {"namespace", "default"},
                       {"labels", Value::object({{"component", "apiserver"}, {"provider", "kubernetes"}})}})},
       {"spec", Value::object({{"type", "ClusterIP"},
                               {"clusterIP", first_address(options.service_range)},
                               {"ports", Value::array({port})}})}});
}

}  // namespace

io::Task<Result<void>> bootstrap_objects(Objects& objects) {
  const Target namespaces{objects.kind("", "namespaces"), "", ""};
  static constexpr const char* kNamespaces[] = {"default", "kube-system", "kube-public", "kube-node-lease"};
  for (const char* name : kNamespaces) {
    Value object = Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}});
    object.edit("metadata").set("name", name);
    auto done = co_await ensure(objects, namespaces, std::move(object));
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  const Target roles{objects.kind("rbac.authorization.k8s.io", "clusterroles"), "", ""};
  for (const auto& role : cluster_roles()) {
    auto done = co_await ensure(objects, roles, role);
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  const Target bindings{objects.kind("rbac.authorization.k8s.io", "clusterrolebindings"), "", ""};
  for (const auto& binding : cluster_bindings()) {
    auto done = co_await ensure(objects, bindings, binding);
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  const Target services{objects.kind("", "services"), "default", ""};
  auto done = co_await ensure(objects, services, own_service(objects.options()));
  co_return done;
}

}  // namespace skiff::kube
