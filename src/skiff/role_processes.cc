#include "skiff/role_processes.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/strings.h"

namespace skiff {

namespace {

// Where a link of /proc leads; "" when it can't be read.
std::string link_target(const std::string& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).string();
}

// Of the binary that a process runs, also when it was replaced since.
std::string binary_name(const std::string& process) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::string name = std::filesystem::path(link_target(process + "/exe")).filename().string();
  if (name.ends_with(kDeleted)) name.resize(name.size() - kDeleted.size());
  return name;
}

// The words behind "KEY:" in /proc/PID/status.
std::vector<std::string> status_words(const std::string& status, std::string_view key) {
  for (const auto& line : split(status, '\n')) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    auto words = split(trim(line.substr(key.size() + 1)), '\t');
    return words;
  }
  return {};
}

bool is_all_root(const std::string& status) {
  // Not the owner of the folder in /proc: that is root for everybody's process that may not be dumped.
  const auto users = status_words(status, "Uid");
  return !users.empty() && std::ranges::all_of(users, [](const auto& user) { return user == "0"; });
}

// A skiff of root in our namespaces, and its /proc/PID/status; held by its pidfd from before the look at it.
struct Skiff {
  io::UniqueFd process;
  std::string status;
};

std::optional<Skiff> find_skiff(int64_t pid) {
  io::UniqueFd held(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
  if (!held) return std::nullopt;
  const std::string process = "/proc/" + std::to_string(pid);
  auto status = io::read_file(process + "/status");
  if (!status || !is_all_root(*status)) return std::nullopt;
  for (const char* space : {"/ns/pid", "/ns/mnt"}) {
    const std::string own = link_target(std::string("/proc/self") + space);
    if (own.empty() || link_target(process + space) != own) return std::nullopt;
  }
  if (binary_name(process) != binary_name("/proc/self")) return std::nullopt;
  return Skiff{std::move(held), std::move(*status)};
}

std::string value_after(const std::vector<std::string>& words, const std::string& option) {
  const auto at = std::ranges::find(words, option);
  return at == words.end() || std::next(at) == words.end() ? "" : *std::next(at);
}

}  // namespace

std::vector<RoleProcess> running_roles() {
  std::vector<RoleProcess> out;
  for (const auto& name : io::list_directory("/proc").value_or(std::vector<std::string>{})) {
    const auto pid = parse_int(name);
    if (!pid) continue;
    const auto words = split(io::read_file("/proc/" + name + "/cmdline").value_or(""), '\0');
    if (words.size() < 4 || words[1] != "role") continue;
    auto found = find_skiff(*pid);
    std::string data = value_after(words, "--data");
    if (!found || data.empty()) continue;
    RoleProcess role{std::move(data), std::move(found->process), {}};
    const auto parent = status_words(found->status, "PPid");
    const auto parent_pid = parent.size() == 1 ? parse_int(parent[0]) : std::nullopt;
    if (auto supervisor = find_skiff(parent_pid.value_or(0))) {
      role.supervisor = std::move(supervisor->process);
    }
    out.push_back(std::move(role));
  }
  return out;
}

void send_signal(const io::UniqueFd& process, int signal) {
  if (process) ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

}  // namespace skiff
