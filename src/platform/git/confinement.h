// Where git, tar and whatever else reads pushed bytes runs: as a user of its own, without capabilities and
// without a network, in namespaces where the one folder that it works on stands at a fixed place, and bounded
// in memory, processes, time and size of files.
//
// The bounds on memory and processes are a control group's (control_group.h). Where the host gives none,
// limits of each process take their place, which is said once in the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/process.h"
#include "platform/builds/limits.h"
#include "platform/git/control_group.h"

namespace skiff::platform {

// Owns the repositories. Builds and dynos have another one (manifests.h), so neither can reach the other's.
constexpr uid_t kGitUser = 70001;

struct ConfinementOptions {
  std::string hooks;          // what git runs and reads of ours; bound read-only for it
  std::string socket;         // the one way out: of the push hook
  std::string control_group;  // "/skiff-ab12cd/git"
};

// How the launcher ends when it could not confine the command; the reason is on its standard error.
constexpr int kNotConfined = 125;

// A command, confined.
struct ConfinedCommand {
  std::vector<std::string> argv;        // starts the launcher, as root
  std::unique_ptr<ControlGroup> group;  // null: limits of each process alone. Outlives what runs.
};

class Confinement {
 public:
  Confinement(io::Loop& loop, ConfinementOptions options);
  // `command` with `folder` at work_folder(), its working directory.
  io::Task<Result<ConfinedCommand>> prepare(std::string folder, BuildLimits limits,
                                            std::vector<std::string> command);
  // To its end; its own limits of time are in `options`. Unavailable when it could not be confined.
  io::Task<Result<io::CommandOutput>> run(std::string folder, BuildLimits limits,
                                          std::vector<std::string> command, io::CommandOptions options = {});
  // As the commands see it.
  std::string work_folder() const { return root_ + "/work"; }
  std::string hooks_folder() const { return root_ + "/hooks"; }
  std::string socket() const { return root_ + "/hook.sock"; }

 private:
  io::Loop& loop_;
  ConfinementOptions options_;
  ControlGroupMounts mounts_;
  std::string root_;
  std::string
      groups_;  // how the names of its groups begin: never those of a process before, still to be swept
  std::shared_ptr<LeftGroups> left_ = std::make_shared<LeftGroups>();
  uint64_t runs_ = 0;
  bool told_ = false;  // that there are no control groups
};

// Pure: a folder of every Debian system that a private mount may cover: none of `paths` lies in it.
std::string choose_private_root(const std::vector<std::string>& paths);
// Pure: what a bound that was reached means to the pusher; "" for none.
std::string explain_bound(BoundReached bound, const BuildLimits& limits);

}  // namespace skiff::platform
