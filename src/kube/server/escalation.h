// Nobody grants what they do not hold: writes of roles and bindings are compared with the writer's own rules
// (RBAC escalation check).
#pragma once

#include "kube/server/authorize.h"

namespace skiff::kube {

// What each of `held` together does not allow of `wanted`, as single rules in upstream's compact form,
// sorted; empty when everything is held. Pure.
std::vector<std::string> missing_rules(const std::vector<json::Value>& held,
                                       const std::vector<json::Value>& wanted);

// Judges a role or a binding about to be stored; other objects pass. `before` is null on create. 403 in
// upstream's words; the verbs "escalate" on a role and "bind" on the role of a binding excuse from it.
Result<void> check_escalation(Authorizer& authorizer, const UserInfo& user, const Target& target,
                              const json::Value& object, const json::Value* before);

}  // namespace skiff::kube
