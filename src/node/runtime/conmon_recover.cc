// Adoption after a restart of the agent, and the sweep of what nobody owns.
#include <signal.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/runtime/conmon_runtime.h"
#include "node/runtime/record.h"

namespace skiff::node {

namespace {

constexpr Duration kSweepLimit = std::chrono::seconds(30);
constexpr Duration kAdoptedStartLimit = std::chrono::seconds(2);  // the whole agent waits for it
constexpr Duration kPidPause = std::chrono::milliseconds(20);

std::vector<std::string> names_in(const std::string& folder) {
  return io::list_directory(folder).value_or(std::vector<std::string>{});
}

// Blocking: every record below the pods' folder. A bundle without a readable record never ran: it is removed.
std::vector<ContainerRun> read_records(const NodePaths& paths) {
  std::vector<ContainerRun> out;
  for (const auto& uid : names_in(paths.pods())) {
    for (const auto& name : names_in(paths.containers(uid))) {
      for (const auto& attempt : names_in(paths.attempts(uid, name))) {
        const std::string bundle = paths.attempts(uid, name) + "/" + attempt;
        auto text = io::read_file(bundle + kRecordFile);
        auto value = text ? json::parse(*text) : Result<json::Value>(std::unexpected(text.error()));
        auto run = value ? parse_record(*value) : Result<ContainerRun>(std::unexpected(value.error()));
        if (run) {
          out.push_back(std::move(*run));
        } else {
          auto removed = io::remove_tree(bundle);
        }
      }
    }
  }
  return out;
}

std::optional<pid_t> read_pid(const std::string& file) {
  auto text = io::read_file(file);
  if (!text) return std::nullopt;
  const auto pid = parse_int(trim(*text));
  if (!pid) return std::nullopt;
  return static_cast<pid_t>(*pid);
}

// Pids are reused: it is our conmon only when the container's id stands in its arguments.
bool conmon_lives(const std::string& bundle, const std::string& id) {
  const auto pid = read_pid(bundle + kConmonPidFile);
  return pid && process_command(*pid).find(id) != std::string::npos;
}

// A created container is a copy of the runtime that waits to become the program: crun keeps the arguments of
// its `create`, runc calls itself `runc init`.
bool waits_for_start(pid_t pid, const std::string& id) {
  const std::string command = process_command(pid);
  return command.find(id) != std::string::npos || command.find("runc init") != std::string::npos;
}

}  // namespace

io::Task<Result<void>> ConmonRuntime::recover() {
  auto records = co_await io::run_blocking(loop_, [paths = options_.paths] { return read_records(paths); });
  for (auto& run : records) {
    co_await adopt(std::move(run));
  }
  co_await sweep();
  co_return Result<void>();
}

io::Task<void> ConmonRuntime::adopt(ContainerRun run) {
  const ContainerKey key = run.key;
  const std::string folder = bundle(key);
  const bool ended_before = run.state == RunState::kExited;
  if (!ended_before) read_exit(folder, run);
  const bool lives = run.state != RunState::kExited && conmon_lives(folder, run.id);
  if (!lives && run.state != RunState::kExited) mark_lost(run, loop_.wall_now());
  if (lives) run.pid = read_pid(folder + kPidFile).value_or(0);
  Entry& entry = entries_[key];
  entry.run = run;
  if (!lives) {
    if (!ended_before) finish(entry);
    co_return;
  }
  log_info("container adopted", {{"pod", key.pod_uid}, {"container", key.name}, {"id", run.id}});
  watch_container(key);
  if (run.state == RunState::kCreated) co_await finish_start(key);
}

// The agent died between create and start, or before it could note the start. A second `start` of a container
// that runs may block: the first one was perhaps killed before it took away the pipe that both read from.
io::Task<void> ConmonRuntime::finish_start(ContainerKey key) {
  const ContainerRun run = entries_[key].run;
  pid_t pid = run.pid;
  const MonotonicTime limit = loop_.now() + kAdoptedStartLimit;
  while (pid == 0 && loop_.now() < limit) {  // the runtime is still creating it
    co_await io::sleep(loop_, kPidPause);
    pid = read_pid(bundle(key) + kPidFile).value_or(0);
  }
  if (!entries_.contains(key)) co_return;
  entries_[key].run.pid = pid;
  if (pid == 0 || waits_for_start(pid, run.id)) {
    auto started = co_await start_created(key, kAdoptedStartLimit);
    if (started) co_return;
  }
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.run.state != RunState::kCreated) co_return;
  found->second.run.started = loop_.wall_now();
  found->second.run.state = RunState::kRunning;
}

io::Task<void> ConmonRuntime::sweep() {
  auto ids = co_await io::run_blocking(
      loop_, [folder = options_.paths.runtime_state()] { return names_in(folder); });
  for (const auto& id : ids) {
    bool owned = false;
    for (const auto& [key, entry] : entries_) owned = owned || entry.run.id == id;
    if (owned) continue;
    log_warn("orphan container deleted", {{"id", id}});
    std::vector<std::string> arguments = {"delete", "--force", id};
    auto deleted = co_await run_runtime(std::move(arguments), kSweepLimit);
  }
}

}  // namespace skiff::node
