// Pod Security admission: the last word on pods and on the labels of namespaces
// (pod_security/pod_security.h).
//
// A pod beyond its namespace's enforced level is refused; what makes pods later (a Deployment's template) is
// only warned about, since its maker learns of the refusal too late. Violations of the audited level are
// logged. Labels of a namespace must be levels, and who raises a level is told which pods already break it.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

// Who asks for what; `warnings` go to the asker.
struct PodSecurityRequest {
  Objects& objects;
  const std::string& user;
  const std::string& subresource;
  std::vector<std::string>& warnings;
};
// `before` is null on create. Forbidden for a pod, Invalid for a namespace.
Result<void> check_pod_security(const PodSecurityRequest& request, const Target& target,
                                const json::Value& object, const json::Value* before);

}  // namespace skiff::kube
