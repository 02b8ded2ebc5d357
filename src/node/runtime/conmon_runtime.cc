#include "node/runtime/conmon_runtime.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"
#include "node/runtime/conmon_command.h"
#include "node/runtime/record.h"

namespace skiff::node {

namespace {
constexpr size_t kRemovalsAtOnce = 2;  // threads of the pool
constexpr Duration kRuntimeLimit =
    std::chrono::seconds(60);  // for one call of the OCI runtime on a loaded machine
}  // namespace

ConmonRuntime::ConmonRuntime(io::Loop& loop, ConmonOptions options)
    : loop_(loop), options_(std::move(options)), removals_(loop, kRemovalsAtOnce) {}
ConmonRuntime::~ConmonRuntime() = default;

std::string ConmonRuntime::bundle(const ContainerKey& key) const {
  return options_.paths.bundle(key.pod_uid, key.name, key.attempt);
}

io::Task<Result<ContainerRun>> ConmonRuntime::start(ContainerSpec spec) {
  if (entries_.contains(spec.key)) {
    co_return fail(Code::kAlreadyExists, "container " + spec.key.name + " has this attempt already");
  }
  ContainerRun run;
  run.key = spec.key;
  run.id = spec.id;
  run.image = spec.image;
  run.image_id = spec.image_id;
  run.stop_signal = spec.stop_signal;
  run.sandbox_number = spec.sandbox_number;
  run.created = loop_.wall_now();
  entries_[spec.key].run = run;
  const ContainerKey key = spec.key;
  auto pid = co_await create(spec);
  if (!pid) {
    entries_.erase(key);
    std::vector<std::string> arguments = {"delete", "--force", spec.id};
    auto ignored = co_await run_runtime(std::move(arguments), kRuntimeLimit);
    auto removed =
        co_await io::run_blocking(removals_, [folder = bundle(key)] { return io::remove_tree(folder); });
    co_return std::unexpected(pid.error());
  }
  entries_[key].run.pid = *pid;
  watch_container(key);
  auto started = co_await start_created(key, kRuntimeLimit);
  if (!started) {
    auto removed = co_await remove(key);
    co_return std::unexpected(started.error());
  }
  co_return entries_[key].run;
}

// Runs conmon, which calls "<runtime> create"; the answer comes through the synchronisation pipe.
io::Task<Result<pid_t>> ConmonRuntime::create(const ContainerSpec& spec) {
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) co_return fail_errno(errno, "pipe");
  io::UniqueFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
  const auto record = json::encode(encode_record(entries_[spec.key].run));
  auto launched = co_await io::run_blocking(loop_, [options = options_, spec, record, fd = write_end.get()] {
    return launch_conmon(options, spec, record, fd);
  });
  write_end.reset();
  if (!launched) co_return std::unexpected(launched.error());
  auto answer = co_await read_answer(*launched, std::move(read_end));
  if (!answer) co_return std::unexpected(answer.error());
  co_return parse_create_answer(*answer);
}

// conmon keeps its end of the pipe open while the container lives, so the answer ends with its line.
io::Task<Result<std::string>> ConmonRuntime::read_answer(pid_t launcher, io::UniqueFd pipe) {
  ChildGuard guard(launcher, ChildGuard::Kill::kAlone);
  guard.reap_in(loop_);
  ::fcntl(pipe.get(), F_SETFL, O_NONBLOCK);
  auto stream = io::make_fd_stream(loop_, pipe.release(), "conmon");
  if (!stream) co_return std::unexpected(stream.error());
  std::string answer;
  std::array<char, 4096> buffer;
  while (!has_create_answer(answer) && answer.size() < kMaxRuntimeOutput) {
    auto got = co_await io::with_timeout(loop_, kRuntimeLimit, (*stream)->read(buffer));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    answer.append(buffer.data(), *got);
  }
  auto status = co_await wait_child(loop_, guard.pid());
  if (!status) co_return std::unexpected(status.error());
  guard.release();
  co_return answer;
}

io::Task<Result<void>> ConmonRuntime::start_created(ContainerKey key, Duration limit) {
  const std::string id = entries_[key].run.id;
  std::vector<std::string> arguments = {"start", id};
  auto result = co_await run_runtime(std::move(arguments), limit);
  if (!result) co_return std::unexpected(result.error());
  auto entry = entries_.find(key);
  if (entry == entries_.end()) co_return fail(Code::kNotFound, "the container was removed while it started");
  if (result->exit_code != 0) co_return fail(Code::kInvalidArgument, std::string(trim(result->output)));
  ContainerRun& run = entry->second.run;
  run.started = loop_.wall_now();
  if (run.state == RunState::kCreated) run.state = RunState::kRunning;
  co_return write_quick(bundle(key) + kRecordFile, json::encode(encode_record(run)));
}

io::Task<Result<ConmonRuntime::CommandResult>> ConmonRuntime::run_runtime(std::vector<std::string> arguments,
                                                                          Duration limit) {
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) co_return fail_errno(errno, "pipe");
  io::UniqueFd read_end(pipe_fds[0]), write_end(pipe_fds[1]);
  auto launched = co_await io::run_blocking(loop_, [options = options_, arguments, fd = write_end.get()] {
    return launch_runtime(options, arguments, fd);
  });
  write_end.reset();
  if (!launched) co_return std::unexpected(launched.error());
  launched->reap_in(loop_);
  auto task = collect(std::move(*launched), std::move(read_end));
  auto result = co_await io::with_timeout(loop_, limit, std::move(task));
  co_return result;
}

// Reads to the end, then reaps.
io::Task<Result<ConmonRuntime::CommandResult>> ConmonRuntime::collect(ChildGuard command,
                                                                      io::UniqueFd output) {
  CommandResult result;
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  auto stream = io::make_fd_stream(loop_, output.release(), "runtime");
  if (!stream) co_return std::unexpected(stream.error());
  std::array<char, 4096> buffer;
  for (;;) {
    auto got = co_await (*stream)->read(buffer);
    if (!got || *got == 0) break;
    if (result.output.size() < kMaxRuntimeOutput) result.output.append(buffer.data(), *got);
  }
  auto status = co_await wait_child(loop_, command.pid());
  if (!status) co_return std::unexpected(status.error());
  command.release();
  result.exit_code = status->code;
  co_return result;
}

void ConmonRuntime::watch_container(const ContainerKey& key) {
  auto text = io::read_file(bundle(key) + kConmonPidFile);
  const auto pid = text ? parse_int(trim(*text)) : std::nullopt;
  if (pid) {
    auto watch = PidWatch::create(loop_, static_cast<pid_t>(*pid), [this, key] { on_conmon_end(key); });
    if (watch) {
      entries_[key].watch = std::move(*watch);
      return;
    }
  }
  loop_.post([this, key] { on_conmon_end(key); });
}

void ConmonRuntime::on_conmon_end(const ContainerKey& key) {
  auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.run.state == RunState::kExited) return;
  ContainerRun& run = entry->second.run;
  read_exit(bundle(key), run);
  if (run.state != RunState::kExited) {
    // Somebody killed conmon. Its container can't be trusted to have its output read: it goes too.
    log_warn("a container lost its monitor", {{"container", run.id}});
    if (run.pid > 0 && process_command(run.pid) != "") ::kill(run.pid, SIGKILL);
    mark_lost(run, loop_.wall_now());
  }
  finish(entry->second);
  if (on_exit_) on_exit_(key);
}

void ConmonRuntime::finish(Entry& entry) {
  entry.run.pid = 0;
  auto written = write_quick(bundle(entry.run.key) + kRecordFile, json::encode(encode_record(entry.run)));
  if (!written) log_warn("record not written", {{"error", written.error().message}});
}

Result<void> ConmonRuntime::signal(const ContainerKey& key, int number) {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) return fail(Code::kNotFound, "no container " + key.name);
  const ContainerRun& run = entry->second.run;
  if (run.state == RunState::kExited || run.pid <= 0) return {};
  if (::kill(run.pid, number) != 0 && errno != ESRCH) return fail_errno(errno, "signal " + key.name);
  return {};
}

io::Task<Result<void>> ConmonRuntime::release(ContainerKey key) {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) co_return Result<void>();
  const std::string id = entry->second.run.id;
  const std::string folder = bundle(key);
  std::vector<std::string> arguments = {"delete", "--force", id};
  auto deleted = co_await run_runtime(std::move(arguments), kRuntimeLimit);
  auto removed = co_await io::run_blocking(removals_, [folder] { return remove_writable_layer(folder); });
  co_return removed;
}

io::Task<Result<void>> ConmonRuntime::remove(ContainerKey key) {
  auto killed = signal(key, SIGKILL);
  auto released = co_await release(key);
  const std::string folder = bundle(key);
  entries_.erase(key);
  auto removed = co_await io::run_blocking(removals_, [folder] { return io::remove_tree(folder); });
  co_return removed;
}

io::Task<Result<ExecResult>> ConmonRuntime::exec(ContainerKey key, std::vector<std::string> argv,
                                                 Duration limit) {
  auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.run.state != RunState::kRunning) {
    co_return fail(Code::kNotFound, "container " + key.name + " is not running");
  }
  const std::string id = entry->second.run.id;
  const std::string file = bundle(key) + "/exec-" + std::to_string(++last_exec_) + ".json";
  auto written = co_await io::run_blocking(loop_, [config = bundle(key) + kConfigFile, file, argv] {
    return write_exec_spec(config, file, argv);
  });
  if (!written) co_return std::unexpected(written.error());
  std::vector<std::string> arguments = {"exec", "--process", file, id};
  auto result = co_await run_runtime(std::move(arguments), limit);
  ::unlink(file.c_str());
  if (!result) co_return std::unexpected(result.error());
  co_return ExecResult{result->exit_code, std::move(result->output)};
}

std::optional<ContainerRun> ConmonRuntime::find(const ContainerKey& key) const {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  return entry->second.run;
}

std::vector<ContainerRun> ConmonRuntime::list(const std::string& pod_uid) const {
  std::vector<ContainerRun> out;
  for (auto entry = entries_.lower_bound({pod_uid, "", 0}); entry != entries_.end(); ++entry) {
    if (entry->first.pod_uid != pod_uid) break;
    out.push_back(entry->second.run);
  }
  return out;
}

Result<void> ConmonRuntime::reopen_log(const ContainerKey& key) {
  io::UniqueFd fifo(::open((bundle(key) + kControlFifo).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fifo) return fail_errno(errno, "open conmon's control pipe");
  constexpr std::string_view kReopen = "2 0 0\n";
  if (::write(fifo.get(), kReopen.data(), kReopen.size()) < 0)
    return fail_errno(errno, "ask conmon to reopen");
  return {};
}

}  // namespace skiff::node
