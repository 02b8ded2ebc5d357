#include "skiff/up.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/agent/leftovers.h"
#include "node/runtime/node_paths.h"
#include "platform/builds/disk.h"
#include "skiff/old_roles.h"
#include "skiff/ports.h"
#include "skiff/running.h"

namespace skiff {

namespace {

constexpr Duration kReadyTimeout = std::chrono::minutes(10);  // the first start makes the stack images
constexpr Duration kStopTimeout = std::chrono::seconds(30);
constexpr Duration kDyingLimit = std::chrono::seconds(5);
constexpr Duration kDyingPause = std::chrono::milliseconds(100);  // longer than a killed process needs to end
constexpr Duration kPollPause = std::chrono::milliseconds(50);

// Lower-case labels of letters, digits and inner dashes.
bool is_domain(const std::string& text) {
  constexpr size_t kMaxLabel = 63, kMaxName = 200;  // below 253: apps' names stand before it
  if (text.size() > kMaxName) return false;
  for (const auto& label : split(text, '.')) {
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-')
      return false;
    if (label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) return false;
  }
  return true;
}

Result<void> check_host(const InstanceRequest& request) {
  if (::geteuid() != 0) {
    return fail(Code::kForbidden,
                "Skiff makes containers and networks, so `skiff up` needs root: run it with sudo");
  }
  if (!request.domain.empty() && !is_domain(request.domain)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no domain name: give one such as localhost or "
                                                    "apps.example.com with --domain",
                                                    request.domain));
  }
  return io::make_directories(request.data);
}

// What a detached instance says from a moment on.
class Words {
 public:
  explicit Words(std::string path) : path_(std::move(path)), shown_(read().size()) {}
  // Passes on why it waits, if it said so since the last call.
  void pass_on() {
    const std::string text = read();
    // Its supervisor keeps the log bounded.
    if (text.size() < shown_) shown_ = 0;
    const size_t end = text.rfind('\n');
    if (end == std::string::npos || end < shown_) return;
    for (const auto& line : split(std::string_view(text).substr(shown_, end - shown_), '\n')) {
      if (!line.empty()) last_ = line;
      if (line.starts_with(kWaitingFor)) fmt::print(stderr, "{}\n", line);
    }
    shown_ = end + 1;
  }
  const std::string& last() const { return last_; }

 private:
  std::string read() const { return io::read_file(path_).value_or(""); }
  std::string path_;
  size_t shown_;
  std::string last_ = "it said nothing";
};

// Waits in the parent of a detached start until the child says ready or ends.
Result<void> wait_until_ready(pid_t child, const std::string& data, Words words) {
  const auto deadline = std::chrono::steady_clock::now() + kReadyTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (io::path_exists(ready_file(data))) return {};
    int status = 0;
    const bool ended = ::waitpid(child, &status, WNOHANG) == child;
    words.pass_on();
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      return fail(Code::kCancelled, fmt::format("the instance in {} was stopped before it was ready", data));
    }
    if (ended) {
      return fail(Code::kInternal,
                  fmt::format("the instance ended: {}\nmore in {}/logs", words.last(), data));
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return fail(Code::kTimeout,
              fmt::format("the instance is not ready yet: {}\nmore in {}/logs", words.last(), data));
}

// The lock and the sockets go to the child: both have them from the fork on, and the parent lets go at once.
Result<void> detach_and_wait(const Instance& instance, io::UniqueFd lock, Sockets sockets) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(instance.path("logs")));
  std::fflush(stdout);
  const std::string path = instance.path("logs/up.log");
  Words words(path);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "fork");
  if (child > 0) {
    lock.reset();
    sockets.clear();
    SKIFF_RETURN_IF_ERROR(wait_until_ready(child, instance.data, std::move(words)));
    fmt::print("{}", ready_text(instance));
    return {};
  }
  ::setsid();
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null_fd, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  auto outcome = run_instance(instance, std::move(sockets));
  if (!outcome) log_error("the instance ended", {{"error", outcome.error().message}});
  std::_Exit(outcome ? 0 : 1);
}

bool supervisor_lives(const std::string& data) {
  const auto pid = io::read_file(pid_file(data));
  if (!pid) return false;
  const auto command = io::read_file(fmt::format("/proc/{}/cmdline", trim(*pid)));
  return command && !command->empty();
}

// An instance that was killed holds its lock until the kernel has taken it apart, so it is waited for.
Result<io::UniqueFd> lock_instance(const std::string& data) {
  const auto limit = std::chrono::steady_clock::now() + kDyingLimit;
  for (;;) {
    auto lock = io::lock_file(data + "/run/lock");
    if (lock || std::chrono::steady_clock::now() > limit) return lock;
    std::this_thread::sleep_for(kDyingPause);
    if (supervisor_lives(data)) return lock;
  }
}

// What was started with this directory and is nobody's now: roles whose supervisor was killed, or, with the
// mounts, an instance whose data was deleted under it.
Result<void> clear_directory(const std::string& given) {
  std::error_code unknown;
  const std::string data = std::filesystem::canonical(given, unknown);
  if (unknown) return fail_errno(unknown.value(), given);
  auto ended = end_roles_over(data);
  if (!ended) return std::unexpected(ended.error());
  ::unlink(ready_file(data).c_str());
  ::unlink(pid_file(data).c_str());
  const auto instance = open_instance(data);
  if (instance || instance.error().code != Code::kNotFound) return {};
  const std::string mounts = node::NodePaths{data + "/node"}.mounts();
  node::unmount_below(mounts);
  ::umount2(mounts.c_str(), MNT_DETACH);
  platform::unmount_build_disks(data + "/platform");
  return {};
}

void say_nothing_runs(const std::string& data) {
  fmt::print("nothing runs in {}\n", data);
}

}  // namespace

Result<void> up(const UpOptions& options) {
  SKIFF_RETURN_IF_ERROR(check_host(options.request));
  const std::string& data = options.request.data;
  SKIFF_RETURN_IF_ERROR(io::make_directories(data + "/run"));
  // Held before anything is read or made: two first starts at once would write over each other's authority.
  auto lock = lock_instance(data);
  if (!lock && io::path_exists(ready_file(data))) {
    fmt::print("ready: an instance runs already in {}\n", data);
    return {};
  }
  if (!lock) return fail(Code::kUnavailable, "an instance is starting already in " + data);
  SKIFF_RETURN_IF_ERROR(clear_directory(data));
  {
    auto loop = io::make_epoll_loop();
    SKIFF_RETURN_IF_ERROR(io::block_on(*loop, check_ports(*loop, wanted_ports(options.request))));
  }
  SystemRandom random;
  auto instance = open_or_create_instance(options.request, random, std::chrono::system_clock::now());
  if (!instance) return std::unexpected(instance.error());
  auto sockets = open_sockets(*instance);
  if (!sockets) return std::unexpected(sockets.error());
  return options.foreground == Foreground::kYes
             ? run_instance(*instance, std::move(*sockets))
             : detach_and_wait(*instance, std::move(*lock), std::move(*sockets));
}

Result<void> down(const std::string& data) {
  auto text = io::read_file(pid_file(data));
  if (!text && text.error().code == Code::kForbidden) return refused_access(data);
  if (!io::path_exists(data + "/run")) {
    say_nothing_runs(data);
    return {};
  }
  bool told = false;
  const auto deadline = std::chrono::steady_clock::now() + kStopTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    auto lock = io::lock_file(data + "/run/lock");
    if (lock) {
      // Those of a supervisor that was killed.
      auto ended = end_roles_over(data);
      if (!ended) return std::unexpected(ended.error());
      if (!told && !*ended) {
        say_nothing_runs(data);
      } else {
        fmt::print("stopped; `skiff up --data {}` brings everything back\n", data);
      }
      return {};
    }
    if (lock.error().code != Code::kUnavailable) return std::unexpected(lock.error());
    // One that starts has the lock before it has written its pid; a killed one may have left another's.
    text = io::read_file(pid_file(data));
    const auto pid = text ? parse_int(trim(*text)) : std::nullopt;
    if (!told && pid && supervisor_lives(data)) {
      if (::kill(static_cast<pid_t>(*pid), SIGTERM) != 0) return fail_errno(errno, "stop the instance");
      told = true;
    }
    std::this_thread::sleep_for(kPollPause);
  }
  if (!told)
    return fail(Code::kTimeout, "an instance is still starting in " + data + ": try again in a while");
  return fail(Code::kTimeout, fmt::format("process {} does not stop", trim(text.value_or("?"))));
}

}  // namespace skiff
