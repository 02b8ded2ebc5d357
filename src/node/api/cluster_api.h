// The cluster as the node sees it: the Kubernetes client, under the names used here.
#pragma once

#include <string>

#include "kube/client/client.h"

namespace skiff::node {

using ClusterApi = kube::Client;
using kube::ChangeCallback;
using kube::ObjectChange;

inline std::string pod_path(const json::Value& pod) {
  return "/api/v1/namespaces/" + pod["metadata"]["namespace"].str() + "/pods/" +
         pod["metadata"]["name"].str();
}

}  // namespace skiff::node
