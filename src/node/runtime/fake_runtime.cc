#include "node/runtime/fake_runtime.h"

#include <signal.h>

#include "io/sync.h"

namespace skiff::node {

namespace {
constexpr int kSignalBase = 128;
}

io::Task<Result<ContainerRun>> FakeRuntime::start(ContainerSpec spec) {
  if (runs_.contains(spec.key)) co_return fail(Code::kAlreadyExists, "the container exists");
  const Behaviour behaviour = behaviours_[spec.key.name];
  if (behaviour.start_takes > Duration{}) {
    co_await io::sleep(loop_, behaviour.start_takes);
  }
  starts_.push_back(spec.key);
  if (behaviour.cannot_start) co_return fail(Code::kInvalidArgument, *behaviour.cannot_start);
  ContainerRun run;
  run.key = spec.key;
  run.id = spec.id;
  run.image = spec.image;
  run.image_id = spec.image_id;
  run.stop_signal = spec.stop_signal;
  run.sandbox_number = spec.sandbox_number;
  run.state = RunState::kRunning;
  run.created = run.started = loop_.wall_now();
  run.pid = 1;
  runs_[run.key] = run;
  if (behaviour.ends_after) {
    loop_.add_timer_after(*behaviour.ends_after,
                          [this, key = run.key, code = behaviour.exit_code] { end(key, code); });
  }
  co_return run;
}

void FakeRuntime::end(const ContainerKey& key, int exit_code, std::string reason) {
  auto run = runs_.find(key);
  if (run == runs_.end() || run->second.state == RunState::kExited) return;
  run->second.state = RunState::kExited;
  run->second.exit_code = exit_code;
  run->second.finished = loop_.wall_now();
  run->second.pid = 0;
  run->second.reason = !reason.empty() ? reason : exit_code == 0 ? "Completed" : "Error";
  if (on_exit_) on_exit_(key);
}

Result<void> FakeRuntime::signal(const ContainerKey& key, int number) {
  const auto run = runs_.find(key);
  if (run == runs_.end()) return fail(Code::kNotFound, "no such container");
  if (number == SIGKILL) {
    loop_.post([this, key] { end(key, kSignalBase + SIGKILL); });
    return {};
  }
  const auto& behaviour = behaviours_[key.name];
  if (behaviour.ends_on_term) {
    loop_.add_timer_after(*behaviour.ends_on_term,
                          [this, key, code = behaviour.exit_code] { end(key, code); });
  }
  return {};
}

io::Task<Result<void>> FakeRuntime::remove(ContainerKey key) {
  runs_.erase(key);
  co_return Result<void>();
}

io::Task<Result<void>> FakeRuntime::release(ContainerKey) {
  co_return Result<void>();
}

io::Task<Result<ExecResult>> FakeRuntime::exec(ContainerKey key, std::vector<std::string>, Duration) {
  co_return ExecResult{behaviours_[key.name].exec_exit_code, ""};
}

size_t FakeRuntime::running() const {
  size_t count = 0;
  for (const auto& [key, run] : runs_) count += run.state == RunState::kRunning ? 1 : 0;
  return count;
}

std::optional<ContainerRun> FakeRuntime::find(const ContainerKey& key) const {
  const auto run = runs_.find(key);
  if (run == runs_.end()) return std::nullopt;
  return run->second;
}

std::vector<ContainerRun> FakeRuntime::list(const std::string& pod_uid) const {
  std::vector<ContainerRun> out;
  for (const auto& [key, run] : runs_) {
    if (key.pod_uid == pod_uid) out.push_back(run);
  }
  return out;
}

}  // namespace skiff::node
