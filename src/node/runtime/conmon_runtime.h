// The real runtime: each container is a conmon process that starts crun and outlives the agent.
//
// State of a container: on disk first. The record is written before conmon starts, conmon writes pid and exit
// code into the bundle; recover() rebuilds everything from that. A container's end is seen through conmon's
// pidfd.
//
//   created ── start ──> running ── conmon ends ──> exited ── remove ──> gone
//
// On a hybrid cgroup host crun runs without the v2 mount in its view (it refuses the mixture otherwise).
#pragma once

#include <map>
#include <memory>

#include "io/long_work.h"
#include "io/scope.h"
#include "node/runtime/cgroup_host.h"
#include "node/runtime/node_paths.h"
#include "node/runtime/pid_watch.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

struct ConmonOptions {
  NodePaths paths;
  std::string conmon = "/usr/bin/conmon";
  std::string runtime = "/usr/bin/crun";
  CgroupHost cgroups;
};

class ChildGuard;

class ConmonRuntime final : public Runtime {
 public:
  ConmonRuntime(io::Loop& loop, ConmonOptions options);
  ~ConmonRuntime() override;

  // Once, before anything else: adopts the containers on disk, and deletes those of the runtime that have no
  // record.
  io::Task<Result<void>> recover();

  io::Task<Result<ContainerRun>> start(ContainerSpec spec) override;
  Result<void> signal(const ContainerKey& key, int number) override;
  io::Task<Result<void>> remove(ContainerKey key) override;
  io::Task<Result<void>> release(ContainerKey key) override;
  io::Task<Result<ExecResult>> exec(ContainerKey key, std::vector<std::string> argv, Duration limit) override;
  std::optional<ContainerRun> find(const ContainerKey& key) const override;
  std::vector<ContainerRun> list(const std::string& pod_uid) const override;
  void on_exit(ExitCallback callback) override { on_exit_ = std::move(callback); }
  Result<void> reopen_log(const ContainerKey& key) override;

 private:
  struct Entry {
    ContainerRun run;
    std::unique_ptr<PidWatch> watch;  // conmon, or process 1 when its conmon is gone
  };
  struct CommandResult {
    int exit_code = 0;
    std::string output;
  };
  std::string bundle(const ContainerKey& key) const;
  io::Task<Result<CommandResult>> run_runtime(std::vector<std::string> arguments, Duration limit);
  io::Task<Result<CommandResult>> collect(ChildGuard command, io::UniqueFd output);
  io::Task<Result<std::string>> read_answer(pid_t launcher, io::UniqueFd pipe);
  io::Task<Result<pid_t>> create(const ContainerSpec& spec);
  io::Task<Result<void>> start_created(ContainerKey key, Duration limit);
  io::Task<void> finish_start(ContainerKey key);
  io::Task<void> adopt(ContainerRun run);
  io::Task<void> sweep();
  void watch_container(const ContainerKey& key);
  void on_conmon_end(const ContainerKey& key);
  void finish(Entry& entry);

  io::Loop& loop_;
  ConmonOptions options_;
  ExitCallback on_exit_;
  std::map<ContainerKey, Entry> entries_;
  uint64_t last_exec_ = 0;
  io::LongWork removals_;  // of what containers wrote
};

// Opens the namespaces of a sandbox for joining.
Result<std::vector<io::UniqueFd>> open_namespaces(const std::string& folder, bool host_network);

}  // namespace skiff::node
