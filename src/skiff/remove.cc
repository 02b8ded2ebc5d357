#include "skiff/remove.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/file.h"
#include "io/sync.h"
#include "node/agent/leftovers.h"
#include "platform/builds/disk.h"
#include "skiff/instance.h"
#include "skiff/machine.h"
#include "skiff/node_options.h"
#include "skiff/old_roles.h"
#include "skiff/role_processes.h"

namespace skiff {

namespace {

// False too when that can't be told.
bool is_without_instance(const std::string& data) {
  const auto instance = open_instance(data);
  return !instance && instance.error().code == Code::kNotFound;
}

// True when one of the folders above is the instance's data directory, or may be.
bool lies_in_instance(std::string folder, const std::string& id) {
  for (size_t slash = folder.rfind('/'); slash != std::string::npos && slash > 0; slash = folder.rfind('/')) {
    folder.resize(slash);
    const auto instance = open_instance(folder);
    if (instance ? instance->id == id : instance.error().code != Code::kNotFound) return true;
  }
  return false;
}

// Id → its data directory, "" when nothing says where that was.
std::map<std::string, std::string> find_leftovers(Machine& machine) {
  std::map<std::string, std::string> out;
  for (const auto& claim : machine.orphans()) out[claim.id] = claim.data;
  std::set<std::string> known;
  for (const auto& claim : machine.claims()) known.insert(claim.id);
  // Instances of versions that made no claims.
  for (const auto& role : running_roles()) {
    if (const auto instance = open_instance(role.data)) known.insert(instance->id);
  }
  for (const auto& id : node::instances_on_machine()) {
    const bool lives = known.contains(id) ||
                       std::ranges::any_of(node::monitor_folders(id),
                                           [&](const auto& folder) { return lies_in_instance(folder, id); });
    if (!lives) out.try_emplace(id, "");
  }
  return out;
}

Result<void> remove_leftover(io::Loop& loop, const std::string& id, const std::string& data) {
  // Where another instance was made meanwhile, roles and mounts are that one's.
  const bool gone = !data.empty() && is_without_instance(data);
  if (gone) {
    auto ended = end_roles_over(data);
    if (!ended) return std::unexpected(ended.error());
  }
  auto removed = io::block_on(loop, node::remove_traces(loop, id));
  if (gone) node::unmount_below(data);
  return removed;
}

}  // namespace

Result<void> remove(const std::string& data) {
  auto instance = open_instance(data);
  if (!instance && instance.error().code == Code::kForbidden) return std::unexpected(instance.error());
  if (!instance) {
    return fail(
        instance.error().code,
        fmt::format("{}\nwhat an instance has left whose data is gone goes with `skiff remove --leftovers`",
                    instance.error().message));
  }
  auto lock = io::lock_file(data + "/run/lock");
  if (!lock)
    return fail(Code::kUnavailable, fmt::format("stop the instance first: skiff down --data {}", data));
  // Of an instance whose supervisor was killed.
  auto ended = end_roles_over(data);
  if (!ended) return std::unexpected(ended.error());
  auto options = agent_options(*instance);
  if (!options) return std::unexpected(options.error());
  auto loop = io::make_epoll_loop();
  platform::unmount_build_disks(instance->path("platform"));
  SKIFF_RETURN_IF_ERROR(io::block_on(*loop, node::remove_instance(*loop, *options)));
  auto machine = Machine::open();
  if (!machine) return std::unexpected(machine.error());
  SKIFF_RETURN_IF_ERROR(machine->release(instance->id));
  fmt::print("removed from this machine; the data in {} is yours to delete\n", data);
  return {};
}

Result<void> remove_leftovers() {
  if (::geteuid() != 0)
    return fail(Code::kForbidden, "`skiff remove --leftovers` needs root: run it with sudo");
  auto machine = Machine::open();
  if (!machine) return std::unexpected(machine.error());
  for (const auto& why : machine->unclear()) fmt::print(stderr, "left alone: {}\n", why);
  const auto found = find_leftovers(*machine);
  if (found.empty()) fmt::print("no instance has left anything whose data is gone\n");
  auto loop = io::make_epoll_loop();
  Result<void> outcome;
  for (const auto& [id, data] : found) {
    auto removed = remove_leftover(*loop, id, data);
    if (removed) removed = machine->drop(id);
    if (!removed) {
      outcome = removed;
      continue;
    }
    fmt::print("removed what instance {} has left{}\n", id,
               data.empty() ? "" : ", whose data was in " + data);
  }
  return outcome;
}

}  // namespace skiff
