// A control group for programs that read bytes from outside: bounds on what all of them may take together.
//
// Works with version 2 of control groups, and with the separate hierarchies of version 1 (also on hosts that
// have both). A group dies with its object, and with it whatever still runs there. All of it blocks, briefly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace skiff::platform {

// Where the host has its control groups; "" for what it lacks.
struct ControlGroupMounts {
  std::string unified;            // version 2, when it has the controller of memory
  std::string memory, processes;  // version 1
};
// Pure: from the text of /proc/self/mounts.
ControlGroupMounts parse_control_group_mounts(std::string_view mounts);

struct GroupBounds {
  int64_t memory_mb = 0;
  int64_t processes = 0;
};

enum class BoundReached { kNone, kMemory, kProcesses };
// Pure: from memory.events or memory.oom_control, and pids.events.
BoundReached parse_bound_reached(std::string_view memory, std::string_view processes);

class ControlGroup {
 public:
  // Makes the group `path` ("/skiff-ab12cd/git/1") below a group of its parents' names; `all_together` bounds
  // the direct parent, so that many groups can't take the machine either. Unavailable where the host gives no
  // groups.
  static Result<std::unique_ptr<ControlGroup>> make(const ControlGroupMounts& mounts, const std::string& path,
                                                    GroupBounds bounds, GroupBounds all_together);
  // Kills what still runs in it.
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  // A process is in the group once its number was written to "cgroup.procs" in each of these folders.
  const std::vector<std::string>& folders() const { return folders_; }
  // Whether a bound was what ended, or refused, something in the group.
  BoundReached bound_reached() const;

 private:
  explicit ControlGroup(std::vector<std::string> folders) : folders_(std::move(folders)) {}
  std::vector<std::string> folders_;
};

// Removes the empty groups below `parent`, of runs whose last process had not quite ended.
void sweep_control_groups(const ControlGroupMounts& mounts, const std::string& parent);

}  // namespace skiff::platform
