// What is allowed in a pod but most likely not meant, or has no effect any more: told to its writer in
// Warning headers, in upstream's words. Pure.
#pragma once

#include <string>
#include <vector>

#include "kube/schema/schema.h"

namespace skiff::kube {

// `at` is the path of the pod template, "" for a pod. `metadata` and `spec` are with defaults.
std::vector<std::string> pod_warnings(const std::string& at, const json::Value& metadata,
                                      const json::Value& spec);

// Of files in volumes that overlap.
std::vector<std::string> volume_warnings(const json::Value& volumes);

// Of the object that is about to be stored: pods when they are made, what makes pods whenever it changes,
// Services and Ingresses.
// `before` is null on create.
std::vector<std::string> object_warnings(const Kind& kind, const json::Value& object,
                                         const json::Value* before);

}  // namespace skiff::kube
