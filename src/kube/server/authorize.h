// Who may do what: Role, ClusterRole and their bindings (RBAC), and the fixed rights of node agents. What is
// not allowed is refused. A ClusterRole with an aggregationRule also has the rules of those that it selects.
//
// The rules are read from the store once and again whenever one of them changes.
#pragma once

#include <map>
#include <optional>

#include "kube/server/objects.h"
#include "kube/server/request_info.h"

namespace skiff::kube {

struct Attributes {
  std::string verb, group, resource, subresource, name_space, name;
  std::string path;  // of a request that concerns no resource
  bool is_resource = true;
};
Attributes attributes_of(const RequestInfo& info);

class Authorizer {
 public:
  explicit Authorizer(Objects& objects) : objects_(objects) {}
  bool allows(const UserInfo& user, const Attributes& attributes);
  // Also why it is allowed, in upstream's words; "" when that is not by a binding.
  struct Decision {
    bool allowed = false;
    std::string reason;
  };
  Decision decide(const UserInfo& user, const Attributes& attributes);
  // The rules that hold for a user in a namespace.
  std::vector<json::Value> rules_for(const UserInfo& user, const std::string& name_space);
  // The rules of the role that a binding in `name_space` names; nothing when there is no such role.
  std::optional<std::vector<json::Value>> rules_of_role(const json::Value& role_ref,
                                                        const std::string& name_space);

 private:
  struct Binding {
    std::string name_space;  // "" everywhere
    std::string name;
    json::Value subjects;
    json::Value role_ref;
    std::string role_key;  // "ClusterRole//name" or "Role/namespace/name"
  };
  // Why the binding gives the user what is asked; nothing when it does not.
  std::optional<std::string> reason_of(const Binding& binding, const UserInfo& user,
                                       const Attributes& attributes) const;
  void refresh();
  void load();
  void aggregate(const std::vector<json::Value>& cluster_roles);
  Objects& objects_;
  std::unique_ptr<store::Watch> changes_;
  std::map<std::string, json::Value> rules_;
  std::vector<Binding> bindings_;
};

// 403 in upstream's words.
Error access_denied(const UserInfo& user, const Attributes& attributes);

}  // namespace skiff::kube
