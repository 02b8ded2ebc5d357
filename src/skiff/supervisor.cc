#include "skiff/supervisor.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "io/log_file.h"
#include "io/sync.h"
#include "skiff/stuck.h"

namespace skiff {

namespace {
// A role that dies comes back at once when it had served for kRanWell; else after a pause that doubles, from
// kFirstPause to kLongestPause, with each such run.
constexpr Duration kRanWell = std::chrono::seconds(1);
constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr Duration kLongestPause = std::chrono::seconds(10);
constexpr Duration kStopGrace = std::chrono::seconds(20);
// Of looks at the roles. Each bound below counts looks, so that a pause of the whole machine is one look.
constexpr Duration kLookEvery = std::chrono::seconds(1);
constexpr int kPatience = 30;        // looks without a turn of a loop that turns every two seconds
constexpr int kStartPatience = 600;  // looks until the first loop turns: opening a large store takes a while
// For a thread that stands still to write its stack.
constexpr Duration kStackGrace = std::chrono::seconds(2);
constexpr Duration kStackPoll = std::chrono::milliseconds(20);
constexpr off_t kMaxLogBytes = 16 << 20;  // of one role's log; as much of it is kept once more

bool is_empty(const io::PulsePage& page) {
  return std::all_of(page.seats.begin(), page.seats.end(),
                     [](const io::Pulse& pulse) { return pulse.beats.load() == 0; });
}

void append_line(int fd, std::string text) {
  text += '\n';
  [[maybe_unused]] const auto written = ::write(fd, text.data(), text.size());
}

}  // namespace

Supervisor::Supervisor(io::Loop& loop, std::vector<std::string> command, std::vector<std::string> arguments,
                       std::string log_directory)
    : loop_(loop),
      command_(std::move(command)),
      arguments_(std::move(arguments)),
      log_directory_(std::move(log_directory)),
      scope_(loop) {
  scope_.spawn(watch_roles(this));
}

std::optional<MonotonicTime> Supervisor::Role::ready_at() const {
  return board->is_refused() ? started_at : board->ready_at();
}

Result<std::unique_ptr<io::Process>> Supervisor::spawn(Role& role) {
  const std::string path = log_of(role);
  io::UniqueFd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail_errno(errno, "open " + path);
  auto board = io::PulseBoard::make();
  if (!board) return std::unexpected(board.error());
  io::ProcessOptions options;
  options.argv = command_;
  options.argv.push_back(role.name);
  options.argv.insert(options.argv.end(), arguments_.begin(), arguments_.end());
  options.argv.push_back("--supervisor=" + std::to_string(::getpid()));
  options.argv.push_back("--pulses=" + std::to_string(board->fd()));
  options.keep_fds.push_back(board->fd());
  for (const auto& socket : role.sockets) {
    options.argv.push_back(fmt::format("--socket={}:{}", socket.fd.get(), socket.address.to_string()));
    options.keep_fds.push_back(socket.fd.get());
  }
  options.out = io::ProcessOptions::Output::kFd;
  options.out_fd = log.get();
  options.merge_err = true;
  options.new_session = true;
  role.board = std::move(*board);
  role.watch.emplace(kPatience);
  role.looks_at_start = 0;
  role.started_at = loop_.now();
  return io::spawn_process(loop_, options);
}

io::Task<void> Supervisor::keep_running(Supervisor* self, Role* role) {
  Duration pause = kFirstPause;
  while (!self->stopping_) {
    auto process = self->spawn(*role);
    bool ran_well = false;
    if (process) {
      role->process = std::move(*process);
      auto status = co_await role->process->wait();
      role->process.reset();
      if (self->stopping_) co_return;
      const auto ready_at = role->ready_at();
      ran_well = ready_at && self->loop_.now() - *ready_at >= kRanWell;
      log_warn(
          "role ended, starting it again",
          {{"role", role->name}, {"code", status ? std::to_string(status->code) : status.error().message}});
    } else {
      log_error("role cannot start", {{"role", role->name}, {"error", process.error().message}});
    }
    if (ran_well) {
      pause = kFirstPause;
      continue;
    }
    co_await io::sleep(self->loop_, pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

io::Task<void> Supervisor::watch_roles(Supervisor* self) {
  for (;;) {
    co_await io::sleep(self->loop_, kLookEvery);
    for (size_t i = 0; i < self->roles_.size(); ++i) {
      Role* role = self->roles_[i].get();
      auto bounded = co_await io::run_blocking(
          self->loop_, [path = self->log_of(*role)] { return io::bound_log(path, kMaxLogBytes); });
      if (!bounded) log_warn("cannot keep the end of a log", {{"error", bounded.error().message}});
      co_await self->end_if_stuck(role);
    }
  }
}

io::Task<void> Supervisor::end_if_stuck(Role* role) {
  if (!role->process || stopping_) co_return;
  const pid_t process = role->process->pid();
  if (role->board->is_refused()) co_return;
  const io::PulsePage& page = role->board->page();
  if (is_empty(page)) {
    const bool stuck =
        ++role->looks_at_start >= kStartPatience && thread_state(process, process) != ThreadState::kTraced;
    if (stuck) co_await end_stuck(role, process, io::kMaxSeats);
    co_return;
  }
  const auto still = role->watch->look(page);
  if (!still) co_return;
  const ThreadState state = thread_state(process, still->thread);
  if (state == ThreadState::kTraced || state == ThreadState::kInKernel) co_return;
  co_await end_stuck(role, still->thread, still->seat);
}

// Waits for the stack that a thread writes; empty when it does not, or the process ends before.
io::Task<std::vector<uintptr_t>> Supervisor::await_stack(Role* role, pid_t process, size_t seat) {
  const MonotonicTime deadline = loop_.now() + kStackGrace;
  while (loop_.now() < deadline && role->process && role->process->pid() == process) {
    const io::Pulse& pulse = role->board->page().seats[seat];
    const size_t count = pulse.frame_count.load(std::memory_order_acquire);
    if (count > 0) {
      co_return std::vector<uintptr_t>(pulse.frames.begin(),
                                       pulse.frames.begin() + std::min(count, io::kMaxFrames));
    }
    co_await io::sleep(loop_, kStackPoll);
  }
  co_return std::vector<uintptr_t>{};
}

// The thread writes its stack, then the process is killed.
io::Task<void> Supervisor::end_stuck(Role* role, int32_t thread, size_t seat) {
  const pid_t process = role->process->pid();
  const bool stopped = thread_state(process, thread) == ThreadState::kStopped;
  log_error("role stands still, killing it", {{"role", role->name}, {"thread", std::to_string(thread)}});
  io::UniqueFd log(::open(log_of(*role).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  append_line(
      log.get(),
      fmt::format("{} stands still: thread {} of process {} {}; it is killed and started again", role->name,
                  thread, process, stopped ? "was stopped by a signal" : "does not turn its loop"));
  if (seat < io::kMaxSeats) {
    ::syscall(SYS_tgkill, process, thread, io::kStackSignal);
    // What was stopped handles the signal when it goes on.
    if (stopped) role->process->kill(SIGCONT);
    const auto frames = co_await await_stack(role, process, seat);
    for (const auto& line : describe_stack(process, frames, command_.front())) append_line(log.get(), line);
    if (frames.empty()) append_line(log.get(), "it wrote no stack");
  }
  if (role->process && role->process->pid() == process) role->process->kill(SIGKILL);
}

void Supervisor::start(const std::string& role, std::vector<HeldSocket> sockets) {
  roles_.push_back(std::make_unique<Role>(Role{role, std::move(sockets)}));
  scope_.spawn(keep_running(this, roles_.back().get()));
}

std::vector<std::string> Supervisor::waiting() const {
  std::vector<std::string> out;
  for (const auto& role : roles_) {
    if (!role->process || !role->ready_at()) out.push_back(role->name);
  }
  return out;
}

io::Task<void> Supervisor::stop() {
  stopping_ = true;
  for (auto& role : roles_) {
    if (role->process) role->process->kill(SIGTERM);
  }
  const MonotonicTime deadline = loop_.now() + kStopGrace;
  const auto running = [this] {
    return std::any_of(roles_.begin(), roles_.end(),
                       [](const auto& role) { return role->process != nullptr; });
  };
  while (running() && loop_.now() < deadline) co_await io::sleep(loop_, std::chrono::milliseconds(20));
  for (auto& role : roles_) {
    if (role->process) role->process->kill_group(SIGKILL);
  }
}

}  // namespace skiff
