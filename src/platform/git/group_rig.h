// A control group of a test, gone with it. For tests alone.
#pragma once

#include <unistd.h>

#include <string>

#include "io/file.h"
#include "platform/git/control_group.h"

namespace skiff::platform {

struct GroupRig {
  GroupRig() = default;
  GroupRig(const GroupRig&) = delete;
  ~GroupRig() {
    LeftGroups left;
    left.find(mounts, name);
    left.sweep();
    for (const auto& root : {mounts.unified, mounts.memory, mounts.processes}) {
      if (!root.empty()) ::rmdir((root + name).c_str());
    }
  }
  const std::string name = "/skiff-test-" + std::to_string(::getpid());
  const ControlGroupMounts mounts =
      parse_control_group_mounts(io::read_file("/proc/self/mounts").value_or(""));
};

}  // namespace skiff::platform
