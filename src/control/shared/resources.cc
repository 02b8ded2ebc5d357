#include "control/shared/resources.h"

namespace skiff::control {

std::vector<ResourceInfo> builtin_resources() {
  return {{"/api/v1", "namespaces", "Namespace", false},
          {"/api/v1", "nodes", "Node", false},
          {"/api/v1", "pods", "Pod"},
          {"/api/v1", "services", "Service"},
          {"/api/v1", "endpoints", "Endpoints"},
          {"/api/v1", "configmaps", "ConfigMap"},
          {"/api/v1", "secrets", "Secret"},
          {"/api/v1", "serviceaccounts", "ServiceAccount"},
          {"/apis/apps/v1", "deployments", "Deployment"},
          {"/apis/apps/v1", "replicasets", "ReplicaSet"},
          {"/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice"},
          {"/apis/networking.k8s.io/v1", "ingresses", "Ingress"},
          {"/apis/coordination.k8s.io/v1", "leases", "Lease"},
          {"/apis/rbac.authorization.k8s.io/v1", "roles", "Role"},
          {"/apis/rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"}};
}

}  // namespace skiff::control
