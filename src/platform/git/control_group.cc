#include "platform/git/control_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/strings.h"
#include "io/file.h"
#include "io/setting.h"

namespace skiff::platform {

namespace {

constexpr mode_t kGroupMode = 0755;
constexpr int kKillRounds = 10;  // a process may make another one while the list is read

Result<void> make_group(const std::string& folder) {
  if (::mkdir(folder.c_str(), kGroupMode) != 0 && errno != EEXIST) return fail_errno(errno, "make " + folder);
  return {};
}

std::string bytes(int64_t megabytes) {
  return std::to_string(megabytes << 20);
}

// "/a", "/a/b", "/a/b/c" of "/a/b/c".
std::vector<std::string> lineage(const std::string& path) {
  std::vector<std::string> out;
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    out.push_back(path.substr(0, slash));
  }
  out.push_back(path);
  return out;
}

Result<void> bound_unified(const std::string& folder, GroupBounds bounds) {
  SKIFF_RETURN_IF_ERROR(io::write_setting(folder + "/memory.max", bytes(bounds.memory_mb)));
  (void)io::write_setting(folder + "/memory.swap.max", "0");  // absent on hosts without swap accounting
  return io::write_setting(folder + "/pids.max", std::to_string(bounds.processes));
}

// The bound of memory with swap is never below that of memory: it goes first and comes last.
Result<void> bound_memory(const std::string& folder, GroupBounds bounds) {
  (void)io::write_setting(folder + "/memory.memsw.limit_in_bytes", "-1");  // absent without swap accounting
  SKIFF_RETURN_IF_ERROR(io::write_setting(folder + "/memory.limit_in_bytes", bytes(bounds.memory_mb)));
  (void)io::write_setting(folder + "/memory.memsw.limit_in_bytes", bytes(bounds.memory_mb));
  return {};
}

Result<void> bound_processes(const std::string& folder, GroupBounds bounds) {
  return io::write_setting(folder + "/pids.max", std::to_string(bounds.processes));
}

using Bound = Result<void> (*)(const std::string&, GroupBounds);

// The group and its parents in one hierarchy.
Result<void> make_groups(const std::string& root, const std::string& path, Bound bound, GroupBounds own,
                         GroupBounds together) {
  const auto groups = lineage(path);
  const bool unified = bound == bound_unified;
  std::string above = root;
  for (const auto& group : groups) {
    if (unified) SKIFF_RETURN_IF_ERROR(io::write_setting(above + "/cgroup.subtree_control", "+memory +pids"));
    above = root + group;
    SKIFF_RETURN_IF_ERROR(make_group(above));
  }
  if (groups.size() > 1) SKIFF_RETURN_IF_ERROR(bound(root + groups[groups.size() - 2], together));
  return bound(root + path, own);
}

// The number after `name` in lines such as "oom_kill 1".
uint64_t counted(std::string_view text, std::string_view name) {
  for (const auto& line : split(text, '\n')) {
    const auto halves = split_once(line, " ");
    if (halves.before == name) return parse_uint(trim(halves.after)).value_or(0);
  }
  return 0;
}

bool kill_all(const std::string& folder) {
  const auto processes = io::read_file(folder + "/cgroup.procs");
  if (!processes || processes->empty()) return true;
  for (const auto& line : split(*processes, '\n')) {
    if (const auto pid = parse_int(line); pid && *pid > 1) ::kill(static_cast<pid_t>(*pid), SIGKILL);
  }
  return false;
}

}  // namespace

ControlGroupMounts parse_control_group_mounts(std::string_view mounts) {
  ControlGroupMounts found;
  std::string second;
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4 || !fields[1].starts_with("/sys/fs/cgroup")) continue;
    if (fields[2] == "cgroup2") second = fields[1];
    if (fields[2] != "cgroup") continue;
    const auto controllers = split(fields[3], ',');
    if (std::ranges::count(controllers, "memory") > 0) found.memory = fields[1];
    if (std::ranges::count(controllers, "pids") > 0) found.processes = fields[1];
  }
  // A controller belongs to one of the two versions.
  if (found.memory.empty()) found.unified = second;
  return found;
}

BoundReached parse_bound_reached(std::string_view memory, std::string_view processes) {
  if (counted(memory, "oom_kill") > 0) return BoundReached::kMemory;
  return counted(processes, "max") > 0 ? BoundReached::kProcesses : BoundReached::kNone;
}

Result<std::unique_ptr<ControlGroup>> ControlGroup::make(const ControlGroupMounts& mounts,
                                                         const std::string& path, GroupBounds bounds,
                                                         GroupBounds all_together,
                                                         std::shared_ptr<LeftGroups> left) {
  struct Hierarchy {
    std::string root;
    Bound bound;
  };
  std::vector<Hierarchy> wanted;
  if (!mounts.unified.empty()) wanted = {{mounts.unified, bound_unified}};
  if (!mounts.memory.empty()) wanted.push_back({mounts.memory, bound_memory});
  if (!mounts.memory.empty() && !mounts.processes.empty())
    wanted.push_back({mounts.processes, bound_processes});
  if (wanted.empty()) return fail(Code::kUnavailable, "this host has no control groups for memory");
  std::unique_ptr<ControlGroup> group(new ControlGroup(std::move(left)));
  for (const auto& [root, bound] : wanted) {
    group->folders_.push_back(root + path);
    SKIFF_RETURN_IF_ERROR(make_groups(root, path, bound, bounds, all_together));
  }
  return group;
}

ControlGroup::~ControlGroup() {
  for (const auto& folder : folders_) {
    for (int round = 0; round < kKillRounds && !kill_all(folder); ++round) {
    }
    if (::rmdir(folder.c_str()) != 0 && errno != ENOENT && left_) left_->add(folder);
  }
}

BoundReached ControlGroup::bound_reached() const {
  std::string memory, processes;
  for (const auto& folder : folders_) {
    for (const char* name : {"/memory.events", "/memory.oom_control"}) {
      memory += io::read_file(folder + name).value_or("") + "\n";
    }
    processes += io::read_file(folder + "/pids.events").value_or("") + "\n";
  }
  return parse_bound_reached(memory, processes);
}

void LeftGroups::add(std::string folder) {
  const std::lock_guard lock(mutex_);
  folders_.push_back(std::move(folder));
}

void LeftGroups::find(const ControlGroupMounts& mounts, const std::string& parent) {
  if (parent.empty()) return;  // what lies in the root of a hierarchy is the host's
  for (const auto& root : {mounts.unified, mounts.memory, mounts.processes}) {
    if (root.empty()) continue;
    const auto names = io::list_directory(root + parent);
    if (!names) continue;
    for (const auto& name : *names) {
      const std::string folder = root + parent + "/" + name;
      struct stat info{};
      if (::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) add(folder);
    }
  }
}

void LeftGroups::sweep() {
  const std::lock_guard lock(mutex_);
  std::erase_if(folders_,
                [](const std::string& folder) { return ::rmdir(folder.c_str()) == 0 || errno == ENOENT; });
}

}  // namespace skiff::platform
