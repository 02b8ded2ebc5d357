// The real machine around a pod: volumes, namespaces, network and files.
#pragma once

#include <functional>
#include <map>

#include "io/long_work.h"
#include "io/loop.h"
#include "node/network/addresses.h"
#include "node/network/bridge_filter.h"
#include "node/network/pod_network.h"
#include "node/pod/env.h"
#include "node/pod/pod_files.h"
#include "node/pod/pod_host.h"
#include "node/runtime/cgroup_host.h"
#include "node/runtime/node_paths.h"
#include "node/runtime/oci_config.h"
#include "node/volumes/volumes.h"

namespace skiff::node {

struct LinuxHostOptions {
  NodePaths paths;
  std::string instance;
  NodeIdentity node;
  std::string hostname;  // the kernel's
  std::string boot_id;   // of this run of the machine
  std::string cluster_domain = "cluster.local";
  std::string cluster_dns;  // "" when there is none
  ClusterRanges ranges;
  CgroupHost cgroups;
  int least_oom_score = -1000;  // what this process may give its children
};

// Lowering the score takes CAP_SYS_RESOURCE, which a node inside a container may lack. `status` and `score`
// are the texts of /proc/self/status and /proc/self/oom_score_adj.
int least_oom_score(const std::string& status, const std::string& score);

class LinuxPodHost final : public PodHost {
 public:
  LinuxPodHost(io::Loop& loop, ClusterApi& api, LinuxHostOptions options);

  // The bridge and the mount point; reserves the addresses of pods found on disk. Once, before any pod.
  io::Task<Result<void>> open();
  // Gives the cluster's Services, whose variables containers get, by "namespace/name"; null while they are
  // not known: no container starts then.
  using ServiceSource = std::function<const std::map<std::string, json::Value>*()>;
  void use_services(ServiceSource services) { services_ = std::move(services); }
  // Uids of the pods that have a folder.
  std::vector<std::string> known_pods() const;
  // The pod object that was saved when it was last set up; null when unreadable.
  json::Value saved_pod(const std::string& uid) const;

  io::Task<Result<PodGround>> set_up(json::Value pod) override;
  bool alive(const json::Value& pod) override;
  io::Task<void> refresh(json::Value pod) override;
  io::Task<Result<void>> tear_down(json::Value pod, Unsent unsent) override;
  io::Task<Result<void>> remove(json::Value pod) override;
  io::Task<Result<ContainerSpec>> make_spec(json::Value pod, ContainerDef def, int attempt, Image image,
                                            PodGround ground) override;
  std::string termination_message(const json::Value& pod, const ContainerDef& def,
                                  const ContainerRun& run) override;
  io::Task<void> remove_output(json::Value pod, std::string container, int before) override;
  io::Task<std::string> pull_credentials(json::Value pod) override;

 private:
  std::optional<MonotonicTime> first_set_up(const std::string& uid);
  Result<Ipv4> address_of(const std::string& uid);
  io::Task<Result<void>> limit_pod(json::Value pod);
  io::Task<Result<void>> make_namespaces(json::Value pod, std::string ip);
  std::string cgroup_of(const json::Value& pod) const;

  io::Loop& loop_;
  ClusterApi& api_;
  LinuxHostOptions options_;
  VolumeManager volumes_;
  std::shared_ptr<BridgeFilter> filter_;
  io::LongWork removals_;  // of what pods wrote
  AddressPool addresses_;
  std::map<std::string, Ipv4> taken_;  // by pod uid
  ServiceSource services_;
  int bridge_ = 0;
};

std::string container_log_path(const NodePaths& paths, const json::Value& pod, const std::string& container,
                               int attempt);
// Removes log files and termination messages of a container's attempts before this one. Blocking.
void remove_old_output(const NodePaths& paths, const json::Value& pod, const std::string& container,
                       int before);

}  // namespace skiff::node
