#include "skiff/old_roles.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "base/time.h"
#include "skiff/role_processes.h"

namespace skiff {

namespace {

constexpr Duration kOrphanGrace =
    std::chrono::seconds(5);  // longer than a role needs to answer what has begun
constexpr Duration kSupervisorGrace = std::chrono::seconds(30);  // above its own patience with its roles
constexpr Duration kKillLimit = std::chrono::seconds(30);        // for the kernel to take them apart
constexpr Duration kPause = std::chrono::milliseconds(20);

// As a role's command line names it; of a directory that is gone, what was asked for.
std::string canonical(const std::string& data) {
  char resolved[PATH_MAX];
  return ::realpath(data.c_str(), resolved) ? resolved : data;
}

std::vector<RoleProcess> roles_over(const std::string& data) {
  auto out = running_roles();
  std::erase_if(out, [&](const RoleProcess& role) { return role.data != data; });
  return out;
}

bool has_ended(const io::UniqueFd& process) {
  pollfd entry{process.get(), POLLIN, 0};
  return !process || ::poll(&entry, 1, 0) == 1;
}

bool have_ended(const std::vector<RoleProcess>& roles) {
  return std::ranges::all_of(
      roles, [](const auto& role) { return has_ended(role.process) && has_ended(role.supervisor); });
}

bool wait_for_end(const std::vector<RoleProcess>& roles, Duration limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!have_ended(roles)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace

Result<bool> end_roles_over(const std::string& data) {
  const std::string path = canonical(data);
  bool any = false;
  // Again: a supervisor may have started a role between the look and its end.
  for (auto roles = roles_over(path); !roles.empty(); roles = roles_over(path)) {
    any = true;
    bool supervised = false;
    for (const auto& role : roles) {
      // Its supervisor ends it: a role that is told twice would not answer what it has begun.
      const auto& told = role.supervisor ? role.supervisor : role.process;
      supervised = supervised || role.supervisor;
      send_signal(told, SIGTERM);
      send_signal(told, SIGCONT);
    }
    if (wait_for_end(roles, supervised ? kSupervisorGrace : kOrphanGrace)) continue;
    for (const auto& role : roles) {
      send_signal(role.supervisor, SIGKILL);
      send_signal(role.process, SIGKILL);
    }
    if (!wait_for_end(roles, kKillLimit))
      return fail(Code::kTimeout, "old processes of an instance in " + path + " do not end");
  }
  if (any) log_info("old roles ended", {{"data", path}});
  return any;
}

}  // namespace skiff
