#include "kube/server/node_rights.h"

#include <algorithm>

#include "kube/server/status.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr std::string_view kUserPrefix = "system:node:";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool refers(const Value& source, const char* member, const char* name_field, const std::string& name) {
  return source[member][name_field].str() == name;
}

bool volume_refers(const Value& volume, const std::string& resource, const std::string& name) {
  const bool secrets = resource == "secrets";
  if (refers(volume, secrets ? "secret" : "configMap", secrets ? "secretName" : "name", name)) return true;
  return std::ranges::any_of(volume["projected"]["sources"].items(), [&](const Value& source) {
    return refers(source, secrets ? "secret" : "configMap", "name", name);
  });
}

bool container_refers(const Value& container, const std::string& resource, const std::string& name) {
  const bool secrets = resource == "secrets";
  const auto from = [&](const Value& item) {
    return refers(item, secrets ? "secretRef" : "configMapRef", "name", name);
  };
  const auto value_from = [&](const Value& item) {
    return refers(item["valueFrom"], secrets ? "secretKeyRef" : "configMapKeyRef", "name", name);
  };
  return std::ranges::any_of(container["envFrom"].items(), from) ||
         std::ranges::any_of(container["env"].items(), value_from);
}

bool pod_refers(const Value& pod, const std::string& resource, const std::string& name) {
  const Value& spec = pod["spec"];
  if (resource == "serviceaccounts") return spec["serviceAccountName"].str() == name;
  const auto volume = [&](const Value& item) { return volume_refers(item, resource, name); };
  const auto container = [&](const Value& item) { return container_refers(item, resource, name); };
  const auto pulls = [&](const Value& item) { return item["name"].str() == name; };
  return std::ranges::any_of(spec["volumes"].items(), volume) ||
         std::ranges::any_of(spec["containers"].items(), container) ||
         std::ranges::any_of(spec["initContainers"].items(), container) ||
         (resource == "secrets" && std::ranges::any_of(spec["imagePullSecrets"].items(), pulls));
}

// True when a pod bound to the node refers to the object.
bool is_used(const Objects& objects, const std::string& node, const Attributes& asked) {
  if (asked.name_space.empty() || asked.name.empty()) return false;
  auto page =
      objects.store().list({collection_prefix({objects.kind("", "pods"), asked.name_space, ""}), "", 0, {}});
  if (!page) return false;
  for (const auto& entry : page->entries) {
    if (entry.value->find(asked.name) == std::string::npos) continue;  // spares most of the parsing
    auto pod = json::parse(*entry.value);
    if (pod && (*pod)["spec"]["nodeName"].str() == node && pod_refers(*pod, asked.resource, asked.name))
      return true;
  }
  return false;
}

// Also for a pod that is gone: an agent that comes late is told so, not that it may not.
bool is_own_pod(const Objects& objects, const std::string& node, const Attributes& asked) {
  if (asked.name.empty()) return false;
  const Value pod = objects.find({objects.kind("", "pods"), asked.name_space, asked.name});
  return pod.is_null() || pod["spec"]["nodeName"].str() == node;
}

bool core_allows(const Objects& objects, const std::string& node, const Attributes& asked) {
  const std::string& verb = asked.verb;
  const bool reads = is_one_of(verb, {"get", "list", "watch"});
  const std::string& resource = asked.resource;
  if (resource == "nodes") {
    if (verb == "create") return asked.subresource.empty();
    return asked.name == node && is_one_of(verb, {"get", "patch", "update"}) &&
           is_one_of(asked.subresource, {"", "status"});
  }
  if (resource == "pods" && asked.subresource.empty()) {
    return reads || (verb == "delete" && is_own_pod(objects, node, asked));
  }
  if (resource == "pods") {
    return asked.subresource == "status" && is_one_of(verb, {"get", "patch", "update"}) &&
           is_own_pod(objects, node, asked);
  }
  if (resource == "serviceaccounts" && asked.subresource == "token")
    return verb == "create" && is_used(objects, node, asked);
  if (!asked.subresource.empty()) return false;
  if (is_one_of(resource, {"secrets", "configmaps"})) return verb == "get" && is_used(objects, node, asked);
  if (is_one_of(resource, {"services", "namespaces"})) return reads;
  return resource == "events" && is_one_of(verb, {"create", "patch", "update"});
}

}  // namespace

std::optional<std::string> node_of(const UserInfo& user) {
  if (!user.name.starts_with(kUserPrefix) || !user.in_group("system:nodes")) return std::nullopt;
  return user.name.substr(kUserPrefix.size());
}

bool node_allows(const Objects& objects, const std::string& node, const Attributes& asked) {
  if (!asked.is_resource) return false;
  if (asked.group.empty()) return core_allows(objects, node, asked);
  if (asked.group == "events.k8s.io")
    return asked.resource == "events" && is_one_of(asked.verb, {"create", "patch", "update"});
  if (asked.group == "discovery.k8s.io")
    return asked.resource == "endpointslices" && is_one_of(asked.verb, {"get", "list", "watch"});
  // Which pods the edge routes to decides when they are told to stop.
  if (asked.group == "networking.k8s.io")
    return asked.resource == "ingresses" && is_one_of(asked.verb, {"get", "list", "watch"});
  if (asked.group != "coordination.k8s.io" || asked.resource != "leases") return false;
  if (asked.name_space != "kube-node-lease") return false;
  return asked.verb == "create" ||
         (asked.name == node && is_one_of(asked.verb, {"get", "patch", "update", "delete"}));
}

Result<void> check_node_write(const UserInfo& user, const Target& target, const Value& object,
                              const Value* before) {
  const auto node = node_of(user);
  const Kind& kind = *target.kind;
  if (node && kind.kind == "Pod" && before &&
      (*before)["metadata"]["labels"] != object["metadata"]["labels"]) {
    return std::unexpected(forbidden(kind.group, kind.plural, object["metadata"]["name"].str(),
                                     "node \"" + *node + "\" cannot update labels through pod status"));
  }
  const bool own_kind = kind.kind == "Node" || kind.kind == "Lease";
  const std::string& name = object["metadata"]["name"].str();
  if (!node || !own_kind || name == *node) return {};
  return std::unexpected(
      forbidden(kind.group, kind.plural, name,
                "node \"" + *node + "\" is not allowed to modify " + kind.singular + " \"" + name + "\""));
}

}  // namespace skiff::kube
