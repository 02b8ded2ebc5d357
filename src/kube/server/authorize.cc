#include "kube/server/authorize.h"

#include <algorithm>
#include <set>

#include "kube/selector/selector.h"
#include "kube/server/node_rights.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

bool lists(const json::Value& list, std::string_view value) {
  for (const auto& item : list.items()) {
    if (item.str() == "*" || item.str() == value) return true;
  }
  return false;
}

// A name is a name: "*" is one that no object has.
bool lists_name(const json::Value& list, std::string_view name) {
  return !name.empty() &&
         std::ranges::any_of(list.items(), [&](const json::Value& item) { return item.str() == name; });
}

bool names_resource(const json::Value& list, const Attributes& attributes) {
  if (attributes.subresource.empty()) return lists(list, attributes.resource);
  const std::string whole = attributes.resource + "/" + attributes.subresource;
  return lists(list, whole) || lists(list, "*/" + attributes.subresource);
}

bool names_path(const json::Value& list, const std::string& path) {
  for (const auto& item : list.items()) {
    std::string_view pattern = item.str();
    if (pattern == path) return true;
    if (pattern.ends_with('*') && path.starts_with(pattern.substr(0, pattern.size() - 1))) return true;
  }
  return false;
}

bool rule_allows(const json::Value& rule, const Attributes& attributes) {
  if (!lists(rule["verbs"], attributes.verb)) return false;
  if (!attributes.is_resource) return names_path(rule["nonResourceURLs"], attributes.path);
  if (!lists(rule["apiGroups"], attributes.group) || !names_resource(rule["resources"], attributes))
    return false;
  return rule["resourceNames"].empty() || lists_name(rule["resourceNames"], attributes.name);
}

bool is_subject(const json::Value& subject, const UserInfo& user, const std::string& binding_namespace) {
  const std::string& kind = subject["kind"].str();
  const std::string& name = subject["name"].str();
  if (kind == "User") return name == user.name;
  if (kind == "Group") return user.in_group(name);
  if (kind != "ServiceAccount") return false;
  return user.name == "system:serviceaccount:" + subject["namespace"].str_or(binding_namespace) + ":" + name;
}

// The subject of a binding that the user is; null for none.
const json::Value* subject_of(const json::Value& subjects, const UserInfo& user,
                              const std::string& binding_namespace) {
  for (const auto& subject : subjects.items()) {
    if (is_subject(subject, user, binding_namespace)) return &subject;
  }
  return nullptr;
}

std::string quoted(const std::string& text) {
  return json::encode(json::Value(text));
}

std::string describe_subject(const json::Value& subject, const std::string& binding_namespace) {
  const std::string& kind = subject["kind"].str();
  const std::string& name = subject["name"].str();
  if (kind != "ServiceAccount") return kind + " " + quoted(name);
  return kind + " " + quoted(name + "/" + subject["namespace"].str_or(binding_namespace));
}

// The roles that an aggregated role selects.
std::vector<const json::Value*> givers_to(const json::Value& role,
                                          const std::vector<json::Value>& cluster_roles) {
  std::vector<const json::Value*> out;
  for (const auto& part : role["aggregationRule"]["clusterRoleSelectors"].items()) {
    auto selector = LabelSelector::from_object(part);
    if (!selector) continue;
    for (const auto& other : cluster_roles) {
      if (selector->matches(other["metadata"]["labels"])) out.push_back(&other);
    }
  }
  return out;
}

constexpr std::string_view kPrefix = "/rbac.authorization.k8s.io/";

std::string role_key(const json::Value& role_ref, const std::string& binding_namespace) {
  const std::string& kind = role_ref["kind"].str();
  return kind + "/" + (kind == "Role" ? binding_namespace : "") + "/" + role_ref["name"].str();
}

}  // namespace

Attributes attributes_of(const RequestInfo& info) {
  return {info.verb,       info.group, info.resource, info.subresource,
          info.name_space, info.name,  info.path,     info.is_resource};
}

void Authorizer::refresh() {
  bool changed = !changes_;
  while (changes_ && changes_->try_next()) changed = true;
  if (changed) load();
}

void Authorizer::load() {
  rules_.clear();
  bindings_.clear();
  auto page = objects_.store().list({std::string(kPrefix), "", 0, {}});
  if (!page) return;
  auto watch = objects_.store().watch(std::string(kPrefix), page->revision);
  changes_ = watch ? std::move(*watch) : nullptr;
  std::vector<json::Value> cluster_roles;
  for (const auto& entry : page->entries) {
    auto object = json::parse(*entry.value);
    if (!object) continue;
    const std::string& kind = (*object)["kind"].str();
    const std::string& name_space = (*object)["metadata"]["namespace"].str();
    if (kind == "Role" || kind == "ClusterRole") {
      rules_[kind + "/" + name_space + "/" + (*object)["metadata"]["name"].str()] = (*object)["rules"];
    } else {
      const json::Value& role_ref = (*object)["roleRef"];
      bindings_.push_back({name_space, (*object)["metadata"]["name"].str(), (*object)["subjects"], role_ref,
                           role_key(role_ref, name_space)});
    }
    if (kind == "ClusterRole") cluster_roles.push_back(std::move(*object));
  }
  aggregate(cluster_roles);
}

void Authorizer::aggregate(const std::vector<json::Value>& cluster_roles) {
  // Roles by the roles that take their rules, over any number of steps: a visited role gives once.
  for (const auto& role : cluster_roles) {
    json::Value& rules = rules_["ClusterRole//" + role["metadata"]["name"].str()];
    std::set<const json::Value*> given = {&role};
    std::vector<const json::Value*> open = {&role};
    while (!open.empty()) {
      const json::Value& taker = *open.back();
      open.pop_back();
      for (const json::Value* giver : givers_to(taker, cluster_roles)) {
        if (!given.insert(giver).second) continue;
        open.push_back(giver);
        for (const auto& rule : (*giver)["rules"].items()) rules.push_back(rule);
      }
    }
  }
}

std::optional<std::vector<json::Value>> Authorizer::rules_of_role(const json::Value& role_ref,
                                                                  const std::string& name_space) {
  refresh();
  const auto found = rules_.find(role_key(role_ref, name_space));
  if (found == rules_.end()) return std::nullopt;
  return found->second.items();
}

std::vector<json::Value> Authorizer::rules_for(const UserInfo& user, const std::string& name_space) {
  refresh();
  std::vector<json::Value> out;
  for (const auto& binding : bindings_) {
    if (!binding.name_space.empty() && binding.name_space != name_space) continue;
    if (!subject_of(binding.subjects, user, binding.name_space)) continue;
    for (const auto& rule : rules_[binding.role_key].items()) out.push_back(rule);
  }
  return out;
}

bool Authorizer::allows(const UserInfo& user, const Attributes& attributes) {
  return decide(user, attributes).allowed;
}

Authorizer::Decision Authorizer::decide(const UserInfo& user, const Attributes& attributes) {
  if (user.in_group("system:masters")) return {true, ""};
  const auto node = node_of(user);
  if (node && node_allows(objects_, *node, attributes)) return {true, ""};
  refresh();
  for (const auto& binding : bindings_) {
    if (!binding.name_space.empty() && binding.name_space != attributes.name_space) continue;
    if (auto reason = reason_of(binding, user, attributes)) return {true, std::move(*reason)};
  }
  return {};
}

std::optional<std::string> Authorizer::reason_of(const Binding& binding, const UserInfo& user,
                                                 const Attributes& attributes) const {
  const json::Value* subject = subject_of(binding.subjects, user, binding.name_space);
  const auto rules = rules_.find(binding.role_key);
  if (!subject || rules == rules_.end()) return std::nullopt;
  const auto allows = [&](const json::Value& rule) { return rule_allows(rule, attributes); };
  if (std::ranges::none_of(rules->second.items(), allows)) return std::nullopt;
  const bool everywhere = binding.name_space.empty();
  return (everywhere ? "RBAC: allowed by ClusterRoleBinding " + quoted(binding.name)
                     : "RBAC: allowed by RoleBinding " + quoted(binding.name + "/" + binding.name_space)) +
         " of " + binding.role_ref["kind"].str() + " " + quoted(binding.role_ref["name"].str()) + " to " +
         describe_subject(*subject, binding.name_space);
}

Error access_denied(const UserInfo& user, const Attributes& attributes) {
  if (!attributes.is_resource) {
    return make_status_error(403, "Forbidden",
                             "forbidden: User \"" + user.name + "\" cannot " + attributes.verb + " path \"" +
                                 attributes.path + "\"",
                             json::Value::object());
  }
  std::string resource = attributes.resource;
  if (!attributes.subresource.empty()) resource += "/" + attributes.subresource;
  const std::string where = attributes.name_space.empty()
                                ? "at the cluster scope"
                                : "in the namespace \"" + attributes.name_space + "\"";
  return forbidden(attributes.group, attributes.resource, attributes.name,
                   "User \"" + user.name + "\" cannot " + attributes.verb + " resource \"" + resource +
                       "\" in API group \"" + attributes.group + "\" " + where);
}

}  // namespace skiff::kube
