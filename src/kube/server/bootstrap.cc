#include "kube/server/bootstrap.h"

#include "kube/server/bootstrap_roles.h"
#include "kube/server/move_events.h"
#include "kube/server/move_services.h"
#include "kube/server/own_services.h"

namespace skiff::kube {

namespace {

using json::Value;

// A stored role gets this version's rules, unless its annotation says that it is somebody's own.
io::Task<Result<void>> renew_rules(Objects& objects, Target target, Value object) {
  const auto renew = [object](const Value& current) -> Result<Value> {
    Value out = current;
    if (current["metadata"]["annotations"]["rbac.authorization.kubernetes.io/autoupdate"].str() == "false")
      return out;
    out.set("rules", object["rules"]);
    for (const auto& [name, value] : object["metadata"]["labels"].members())
      out.edit("metadata").edit("labels").set(name, value);
    return out;
  };
  auto written = co_await objects.modify(std::move(target), renew, {});
  if (!written) co_return wrap(written.error(), "bootstrap");
  co_return Result<void>();
}

// A namespace that a version without Pod Security made has no level of its own.
io::Task<Result<void>> add_level(Objects& objects, Target target, Value object) {
  const Value wanted = object["metadata"]["labels"];
  const auto add = [wanted](const Value& old) -> Result<Value> {
    Value out = old;
    for (const auto& [name, value] : wanted.members()) {
      if (!out["metadata"]["labels"].contains(name)) out.edit("metadata").edit("labels").set(name, value);
    }
    return out;
  };
  auto written = co_await objects.modify(std::move(target), add, {});
  if (!written) co_return wrap(written.error(), "bootstrap");
  co_return Result<void>();
}

io::Task<Result<void>> ensure(Objects& objects, Target target, Value object) {
  target.name = object["metadata"]["name"].str();
  if (!target.kind) co_return fail(Code::kInternal, "no kind for " + target.name);
  if (objects.store().get(object_path(target))) {
    if (object["kind"].str() == "Namespace" && object["metadata"].contains("labels")) {
      auto leveled = co_await add_level(objects, std::move(target), std::move(object));
      co_return leveled;
    }
    if (!object.contains("rules")) co_return Result<void>();
    auto renewed = co_await renew_rules(objects, std::move(target), std::move(object));
    co_return renewed;
  }
  Target collection = target;
  collection.name.clear();
  WriteOptions options;
  auto created = co_await objects.create(collection, std::move(object), options);
  if (!created && created.error().code != Code::kAlreadyExists) co_return wrap(created.error(), "bootstrap");
  co_return Result<void>();
}

}  // namespace

io::Task<Result<void>> bootstrap_objects(Objects& objects) {
  // Before own_service() looks for its address.
  auto moved = co_await move_services(objects);
  SKIFF_CO_RETURN_IF_ERROR(moved);
  moved = co_await move_events(objects);
  SKIFF_CO_RETURN_IF_ERROR(moved);
  const Target namespaces{objects.kind("", "namespaces"), "", ""};
  static constexpr const char* kNamespaces[] = {"default", "kube-system", "kube-public", "kube-node-lease"};
  for (const char* name : kNamespaces) {
    Value object = Value::object({{"apiVersion", "v1"}, {"kind", "Namespace"}});
    object.edit("metadata").set("name", name);
    // What runs the cluster may need more of the machine than others.
    if (std::string_view(name) == "kube-system") {
      object.edit("metadata").edit("labels").set("pod-security.kubernetes.io/enforce", "privileged");
    }
    auto done = co_await ensure(objects, namespaces, std::move(object));
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  const Target roles{objects.kind("rbac.authorization.k8s.io", "clusterroles"), "", ""};
  for (const auto& role : bootstrap_cluster_roles()) {
    auto done = co_await ensure(objects, roles, role);
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  const Target bindings{objects.kind("rbac.authorization.k8s.io", "clusterrolebindings"), "", ""};
  for (const auto& binding : bootstrap_cluster_role_bindings()) {
    auto done = co_await ensure(objects, bindings, binding);
    SKIFF_CO_RETURN_IF_ERROR(done);
  }
  auto done = co_await keep_own_services(objects);
  co_return done;
}

}  // namespace skiff::kube
