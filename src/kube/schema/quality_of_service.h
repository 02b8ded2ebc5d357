// What a pod is promised of cpu and memory, by its spec. Pure.
#pragma once

#include <string_view>

#include "base/json.h"

namespace skiff::kube {

// "Guaranteed": every container has equal requests and limits of both; "BestEffort": none has any of either;
// else "Burstable". Other resources do not count.
std::string_view quality_of_service(const json::Value& pod_spec);

}  // namespace skiff::kube
