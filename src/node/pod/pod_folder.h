// The folders of a pod, and how they go. Removals block.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

// In the pod's folder, from the first step of its set-up on: the pod. The next agent finds by it what this
// one leaves half made or half removed.
constexpr const char* kPodFile = "/pod.json";

// The folder of a pod's logs: "<namespace>_<name>_<uid>".
std::string pod_log_folder(const NodePaths& paths, const json::Value& pod);
// The pod's logs, then its folder, in which kPodFile is the last to go.
Result<void> remove_pod_folder(const NodePaths& paths, const json::Value& pod);
// For the start: folders whose set-up was cut before kPodFile, or whose removal after it. One with volumes
// stays: a power cut can take the file alone.
void sweep_nameless_pods(const NodePaths& paths);

}  // namespace skiff::node
