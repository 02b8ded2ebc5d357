// What a node agent may do: its own Node and Lease, the pods bound to it, and of Secrets, ConfigMaps and
// service account tokens those alone that such a pod refers to. Rules of RBAC cannot say this, so it is code,
// as upstream's Node authorizer.
#pragma once

#include "kube/server/authorize.h"

namespace skiff::kube {

// The node's name for a user "system:node:<name>" of the group system:nodes; nothing for others.
std::optional<std::string> node_of(const UserInfo& user);
bool node_allows(const Objects& objects, const std::string& node, const Attributes& attributes);
// A node agent makes its own Node and Lease alone; a create names its object in the body, which rights do not
// see. Of a pod it changes no labels, by which Services choose. `before` is null on create. 403 in upstream's
// words; other users and kinds pass.
Result<void> check_node_write(const UserInfo& user, const Target& target, const json::Value& object,
                              const json::Value* before);

}  // namespace skiff::kube
