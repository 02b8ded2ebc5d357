// EndpointSlices as they are compared and written, whoever fills them. Pure.
#pragma once

#include <vector>

#include "control/shared/action.h"

namespace skiff::control {

inline constexpr const char* kServiceName = "kubernetes.io/service-name";
inline constexpr const char* kManagedBy = "endpointslice.kubernetes.io/managed-by";
inline constexpr const char* kManager = "endpointslice-controller.k8s.io";
inline constexpr const char* kMirrorManager = "endpointslicemirroring-controller.k8s.io";

bool same_meaning(const Value& a, const Value& b);
// Makes the slices that are `present` those that are `wanted`; all are of one address type.
void plan_slices(std::vector<Value> wanted, const std::vector<Value>& present, Plan& plan);

}  // namespace skiff::control
