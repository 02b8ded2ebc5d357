// The single checks of the Pod Security Standards. Each says what is wrong with a pod, in upstream's words,
// or nothing. A check whose rules changed is told the version that it shall speak for.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kube/pod_security/pod_security.h"

namespace skiff::kube {

// A pod under one version of the standards.
struct PodView {
  const json::Value& annotations;
  const json::Value& spec;
  int minor = 0;  // of v1.<minor>
  // Init containers, containers, ephemeral ones.
  void each_container(const std::function<void(const json::Value& container)>& visit) const;
  // From 1.25 on, what Windows has no notion of is not asked of its pods.
  bool exempt_as_windows() const;
};
using PodFinding = std::optional<PodVerdict::Finding>;

// `container "a"`, `containers "a", "b"`.
std::string count_word(const char* one, const char* many, size_t count);
std::string quoted(const std::set<std::string>& items);
std::string quoted(const std::vector<std::string>& items);
std::string named_containers(const std::vector<std::string>& names);
// "pod", `container "a"` or both with "and": who set something.
std::string setters(bool pod, const std::vector<std::string>& containers);
// Asks `wrong` of the pod's security context, then of each container's; both are given only when present.
struct Offenders {
  bool pod = false;
  std::vector<std::string> containers;
  bool none() const { return !pod && containers.empty(); }
  std::string to_string() const { return setters(pod, containers); }
};
Offenders find_offenders(const PodView& pod, const std::function<bool(const json::Value& context)>& wrong);

// Baseline.
PodFinding check_app_armor(const PodView& pod);
PodFinding check_capabilities(const PodView& pod);
PodFinding check_host_namespaces(const PodView& pod);
PodFinding check_host_path_volumes(const PodView& pod);
PodFinding check_host_ports(const PodView& pod);
PodFinding check_privileged(const PodView& pod);
PodFinding check_proc_mount(const PodView& pod);
PodFinding check_se_linux(const PodView& pod);
PodFinding check_seccomp(const PodView& pod);
PodFinding check_sysctls(const PodView& pod);
PodFinding check_windows_host_process(const PodView& pod);
// Restricted.
PodFinding check_privilege_escalation(const PodView& pod);
PodFinding check_dropped_capabilities(const PodView& pod);
PodFinding check_volume_types(const PodView& pod);
PodFinding check_run_as_non_root(const PodView& pod);
PodFinding check_run_as_user(const PodView& pod);
PodFinding check_set_seccomp(const PodView& pod);

}  // namespace skiff::kube
