// From a container of a pod and its image to what the runtime is told: pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "node/images/image_service.h"
#include "node/pod/env.h"
#include "node/pod/model.h"
#include "node/runtime/oci_config.h"
#include "node/runtime/pod_cgroup.h"

namespace skiff::node {

struct BuildInput {
  const json::Value& pod;
  const ContainerDef& def;
  const Image& image;
  const PodIdentity& identity;
  const std::vector<std::pair<std::string, std::string>>& env;
  std::map<std::string, std::string> volumes;  // name → folder or file on the host
  std::vector<Mount> system_mounts;            // /etc/hosts, /etc/resolv.conf, termination message
  std::string cgroup_parent;
  std::string hostname;
  // Files of the image, for names of users.
  std::function<std::optional<std::string>(const std::string& path)> read_image_file;
};

// An error is the message of CreateContainerConfigError.
Result<ContainerConfig> build_container(const BuildInput& input);

// The user an image or a security context names. `passwd` and `group` are the files' texts.
Result<UserIds> resolve_user(const std::string& user, const std::string& passwd, const std::string& group);
Limits make_limits(const json::Value& pod, const json::Value& container, int64_t node_memory_bytes);
// Of the pod as a whole: requests are added up; a limit is set when every container has one.
PodLimits make_pod_limits(const json::Value& pod);
// Where in a volume a mount with subPath points; InvalidArgument when it would leave the volume.
Result<std::string> mount_source(const std::string& volume, const std::string& sub_path);

}  // namespace skiff::node
