#include "node/agent/leftovers.h"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/network/forwarding.h"
#include "node/network/forwarding_switch.h"
#include "node/network/pod_network.h"
#include "node/network/port_filter.h"
#include "node/runtime/cgroup_host.h"
#include "node/services/firewall.h"
#include "node/services/ruleset.h"

namespace skiff::node {

namespace {

constexpr std::string_view kPrefix = "skiff-";
constexpr size_t kIdLength = 6;
constexpr Duration kEndWithin = std::chrono::seconds(10);
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

CgroupHost host_cgroups() {
  return read_cgroup_host(io::read_file("/proc/self/mounts").value_or(""));
}

// All below a cgroup, itself included.
void collect_processes(const std::string& group, std::set<pid_t>& out) {
  const std::string processes = io::read_file(group + "/cgroup.procs").value_or("");
  for (const auto& line : split(processes, '\n')) {
    if (const auto pid = parse_int(line); pid && *pid > 0) out.insert(static_cast<pid_t>(*pid));
  }
  for (const auto& name : io::list_directory(group).value_or(std::vector<std::string>{})) {
    const std::string child = group + "/" + name;
    if (io::path_exists(child + "/cgroup.procs")) collect_processes(child, out);
  }
}

// The monitor of a container's first process; nothing for others.
std::optional<pid_t> monitor_of(pid_t process) {
  const std::string status = io::read_file("/proc/" + std::to_string(process) + "/status").value_or("");
  for (const auto& line : split(status, '\n')) {
    constexpr std::string_view kParent = "PPid:\t";
    if (!line.starts_with(kParent)) continue;
    const auto parent = parse_int(line.substr(kParent.size()));
    if (!parent) return std::nullopt;
    const auto name = io::read_file("/proc/" + std::to_string(*parent) + "/comm");
    if (name && trim(*name) == "conmon") return static_cast<pid_t>(*parent);
  }
  return std::nullopt;
}

std::set<pid_t> processes_of(const CgroupHost& cgroups, const std::string& instance) {
  std::set<pid_t> inside;
  for (const auto& root : cgroups.roots) collect_processes(root + "/skiff-" + instance, inside);
  std::set<pid_t> out = inside;
  for (const pid_t pid : inside) {
    if (const auto monitor = monitor_of(pid)) out.insert(*monitor);
  }
  return out;
}

io::Task<Result<void>> end_processes(io::Loop& loop, CgroupHost cgroups, std::string instance) {
  const MonotonicTime deadline = loop.now() + kEndWithin;
  for (;;) {
    const auto left = processes_of(cgroups, instance);
    if (left.empty()) co_return Result<void>();
    if (loop.now() > deadline) {
      co_return fail(Code::kTimeout,
                     "process " + std::to_string(*left.begin()) + " of a container does not end");
    }
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    co_await io::sleep(loop, kLookAgain);
  }
}

Result<void> remove_from_host(const CgroupHost& cgroups, const std::string& instance) {
  remove_cgroup(cgroups, "/skiff-" + instance);
  NftFirewall firewall;
  const std::string table = table_name(instance);
  auto unfiltered = firewall.apply("table ip " + table + "\ndelete table ip " + table + "\n");
  // Where the kernel can't filter in bridges there is none.
  if (auto removed = firewall.apply(remove_port_filter(instance)); !removed) {
    log_debug("no port filter", {{"error", removed.error().message}});
  }
  auto unlinked = remove_bridge(instance);
  const auto closed = turn_off_forwarding();
  for (const auto& result : {unfiltered, unlinked}) {
    if (!result) return result;
  }
  return closed;
}

// A mount point as the kernel writes it: "\040" for a blank.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    constexpr size_t kDigits = 3;
    const bool octal = text[i] == '\\' && i + kDigits < text.size();
    if (!octal) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += kDigits;
  }
  return out;
}

void add_id(const std::string& name, std::set<std::string>& out) {
  if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kIdLength) return;
  const std::string id = name.substr(kPrefix.size());
  if (id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos) out.insert(id);
}

}  // namespace

std::vector<std::string> instances_on_machine() {
  std::set<std::string> out;
  auto folders = host_cgroups().roots;
  folders.emplace_back("/sys/class/net");
  for (const auto& folder : folders) {
    for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{}))
      add_id(name, out);
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> monitor_folders(const std::string& instance) {
  std::vector<std::string> out;
  for (const pid_t pid : processes_of(host_cgroups(), instance)) {
    const auto words = split(io::read_file("/proc/" + std::to_string(pid) + "/cmdline").value_or(""), '\0');
    if (!words.front().ends_with("conmon")) continue;
    const auto bundle = std::ranges::find(words, "-b");
    if (bundle != words.end() && std::next(bundle) != words.end()) out.push_back(*std::next(bundle));
  }
  return out;
}

io::Task<Result<void>> remove_traces(io::Loop& loop, std::string instance) {
  const CgroupHost cgroups = host_cgroups();
  auto ended = co_await end_processes(loop, cgroups, instance);
  co_await forget_forwarding(loop, bridge_name(instance));
  auto removed =
      co_await io::run_blocking(loop, [cgroups, instance] { return remove_from_host(cgroups, instance); });
  if (!ended) co_return ended;
  co_return removed;
}

std::vector<std::string> mounts_below(const std::string& mounts, const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 2) continue;
    const std::string point = unescape(fields[1]);
    if (point.starts_with(folder + "/")) out.push_back(point);
  }
  // What was mounted last lies innermost.
  std::reverse(out.begin(), out.end());
  return out;
}

void unmount_below(const std::string& folder) {
  for (const auto& point : mounts_below(io::read_file("/proc/self/mounts").value_or(""), folder)) {
    ::umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }
}

}  // namespace skiff::node
