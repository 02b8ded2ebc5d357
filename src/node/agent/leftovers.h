// What of an instance a machine shows besides its data directory, and its removal when that directory says
// nothing any more.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

// The ids of instances that have a bridge or a cgroup on this machine.
std::vector<std::string> instances_on_machine();

// The folders that its containers' monitors work in, below its data directory, there or not.
std::vector<std::string> monitor_folders(const std::string& instance);

// Ends the instance's containers and their monitors, found by its cgroup, and takes its cgroups, firewall
// table, forwarding rules and network away. Everything is tried; the first error is returned. Fine when
// nothing is there.
io::Task<Result<void>> remove_traces(io::Loop& loop, std::string instance);

// Unmounts everything below a folder, the innermost first. Blocking.
void unmount_below(const std::string& folder);
// The mount points below a folder in a /proc/PID/mounts text, the innermost first. Pure.
std::vector<std::string> mounts_below(const std::string& mounts, const std::string& folder);

}  // namespace skiff::node
