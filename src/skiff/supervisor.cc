#include "skiff/supervisor.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "io/file.h"
#include "io/sync.h"

namespace skiff {

namespace {
// A role that dies comes back at once; one that keeps dying comes back ever slower.
constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr Duration kLongestPause = std::chrono::seconds(10);
// A role that ran this long is healthy: the pause starts over.
constexpr Duration kHealthyAfter = std::chrono::seconds(30);
constexpr Duration kStopGrace = std::chrono::seconds(20);
constexpr off_t kMaxLogBytes = 16 << 20;  // of one role's log file, then it is renamed to .1
}  // namespace

Supervisor::Supervisor(io::Loop& loop, std::vector<std::string> command, std::vector<std::string> arguments,
                       std::string log_directory)
    : loop_(loop),
      command_(std::move(command)),
      arguments_(std::move(arguments)),
      log_directory_(std::move(log_directory)),
      scope_(loop) {}

Result<std::unique_ptr<io::Process>> Supervisor::spawn(const std::string& role) {
  const std::string path = log_directory_ + "/" + role + ".log";
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && info.st_size > kMaxLogBytes) {
    ::rename(path.c_str(), (path + ".1").c_str());
  }
  io::UniqueFd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) return fail_errno(errno, "open " + path);
  io::ProcessOptions options;
  options.argv = command_;
  options.argv.push_back(role);
  options.argv.insert(options.argv.end(), arguments_.begin(), arguments_.end());
  options.argv.push_back("--supervisor=" + std::to_string(::getpid()));
  options.out = io::ProcessOptions::Output::kFd;
  options.out_fd = log.get();
  options.merge_err = true;
  options.new_session = true;
  return io::spawn_process(loop_, options);
}

io::Task<void> Supervisor::keep_running(Supervisor* self, Role* role) {
  Duration pause = kFirstPause;
  while (!self->stopping_) {
    const MonotonicTime began = self->loop_.now();
    auto process = self->spawn(role->name);
    if (process) {
      role->process = std::move(*process);
      auto status = co_await role->process->wait();
      role->process.reset();
      if (self->stopping_) co_return;
      log_warn(
          "role ended, starting it again",
          {{"role", role->name}, {"code", status ? std::to_string(status->code) : status.error().message}});
    } else {
      log_error("role cannot start", {{"role", role->name}, {"error", process.error().message}});
    }
    pause = self->loop_.now() - began > kHealthyAfter ? kFirstPause : std::min(pause * 2, kLongestPause);
    co_await io::sleep(self->loop_, pause);
  }
}

void Supervisor::start(const std::string& role) {
  roles_.push_back(std::make_unique<Role>(Role{role, nullptr}));
  scope_.spawn(keep_running(this, roles_.back().get()));
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
