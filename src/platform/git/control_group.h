// A control group for programs that read bytes from outside: bounds on what all of them may take together.
//
// Works with version 2 of control groups, and with the separate hierarchies of version 1 (also on hosts that
// have both). A group dies with its object, and with it whatever still runs there. All of it blocks, briefly.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
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

enum class BoundReached { kNone, kMemory, kProcesses, kPack };
// Pure: from memory.events or memory.oom_control, and pids.events.
BoundReached parse_bound_reached(std::string_view memory, std::string_view processes);

// Groups that nobody uses any more and that could not be removed: a last process had not quite ended. Only
// these are tried again: a group that was just made is empty too, until its command joins. For all threads.
class LeftGroups {
 public:
  void add(std::string folder);
  // Those that a process before this one left below `parent`. At the start, before any group is made there.
  void find(const ControlGroupMounts& mounts, const std::string& parent);
  // Removes what is empty by now.
  void sweep();

 private:
  std::mutex mutex_;
  std::vector<std::string> folders_;
};

class ControlGroup {
 public:
  // Makes the group `path` ("/skiff-ab12cd/git/1") below a group of its parents' names; `all_together` bounds
  // the direct parent, so that many groups can't take the machine either. Unavailable where the host gives no
  // groups. What can't be removed in the end goes to `left`, if there is one.
  static Result<std::unique_ptr<ControlGroup>> make(const ControlGroupMounts& mounts, const std::string& path,
                                                    GroupBounds bounds, GroupBounds all_together,
                                                    std::shared_ptr<LeftGroups> left = nullptr);
  // Kills what still runs in it.
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  // A process is in the group once its number was written to "cgroup.procs" in each of these folders.
  const std::vector<std::string>& folders() const { return folders_; }
  // Whether a bound was what ended, or refused, something in the group.
  BoundReached bound_reached() const;

 private:
  explicit ControlGroup(std::shared_ptr<LeftGroups> left) : left_(std::move(left)) {}
  std::vector<std::string> folders_;
  std::shared_ptr<LeftGroups> left_;
};

}  // namespace skiff::platform
