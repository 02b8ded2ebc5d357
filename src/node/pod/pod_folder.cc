#include "node/pod/pod_folder.h"

#include "base/log.h"
#include "io/file.h"

namespace skiff::node {

std::string pod_log_folder(const NodePaths& paths, const json::Value& pod) {
  const auto& metadata = pod["metadata"];
  return paths.logs() + "/" + metadata["namespace"].str() + "_" + metadata["name"].str() + "_" +
         metadata["uid"].str();
}

Result<void> remove_pod_folder(const NodePaths& paths, const json::Value& pod) {
  SKIFF_RETURN_IF_ERROR(io::remove_tree(pod_log_folder(paths, pod)));
  const std::string folder = paths.pod(pod["metadata"]["uid"].str());
  for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    if ("/" + name != kPodFile) SKIFF_RETURN_IF_ERROR(io::remove_tree(folder + "/" + name));
  }
  return io::remove_tree(folder);
}

void sweep_nameless_pods(const NodePaths& paths) {
  for (const auto& uid : io::list_directory(paths.pods()).value_or(std::vector<std::string>{})) {
    const std::string folder = paths.pod(uid);
    if (io::path_exists(folder + kPodFile) || io::path_exists(paths.volumes(uid))) continue;
    auto removed = io::remove_tree(folder);
    if (!removed) log_warn("the folder of a pod stays", {{"uid", uid}, {"error", removed.error().message}});
  }
}

}  // namespace skiff::node
