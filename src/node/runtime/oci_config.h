// The OCI runtime configuration of a container, from values that are already resolved: a pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace skiff::node {

struct Mount {
  std::string source;       // on the host
  std::string destination;  // in the container
  enum class Access { kReadWrite, kReadOnly } access = Access::kReadWrite;
  // What the host mounts below the source later: seen by the container or not.
  enum class Propagation { kNone, kFromHost } propagation = Propagation::kNone;
  // A bind mount keeps no flag of its source that is not said again. What Skiff makes itself holds neither
  // devices nor programs that raise privileges.
  std::set<std::string> flags = {"nosuid", "nodev"};
};

struct UserIds {
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t> groups;
};

struct Limits {
  uint64_t cpu_shares = 2;              // cgroup v1 scale; runtimes convert for v2
  std::optional<int64_t> cpu_quota_us;  // of each 100 ms
  std::optional<int64_t> memory_bytes;
  int64_t pids = 4096;
  int oom_score_adj = 1000;
};

struct ContainerConfig {
  std::vector<std::string> args;
  std::vector<std::string> env;  // "KEY=value"
  std::string directory = "/";
  UserIds user;
  std::vector<Mount> mounts;
  std::vector<std::string> capabilities;  // "CAP_CHOWN", …
  bool privileged = false;
  bool no_new_privileges = true;
  bool seccomp = true;  // the default profile
  bool read_only_root = false;
  bool host_network = false;
  bool host_pid = false;
  bool hide_proc = true;  // masked and read-only paths
  Limits limits;
  std::string cgroup_path;  // absolute in the cgroup tree
  int64_t shm_bytes = 64 << 20;
};

constexpr int64_t kCpuPeriodUs = 100000;

json::Value make_oci_config(const ContainerConfig& config);

// The capabilities a container has unless its security context says otherwise: what containerd grants, less
// CAP_NET_RAW and CAP_MKNOD would break ping and package installers, so they stay.
const std::vector<std::string>& default_capabilities();
// Every capability this kernel generation knows; for privileged containers and `add: [ALL]`.
const std::vector<std::string>& all_capabilities();
// Applies a securityContext's add and drop lists ("NET_ADMIN", "ALL") to the default set.
std::vector<std::string> effective_capabilities(const std::vector<std::string>& add,
                                                const std::vector<std::string>& drop);

}  // namespace skiff::node
