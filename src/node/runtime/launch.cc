#include "node/runtime/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "io/inside.h"

namespace skiff::node {

namespace {

// Everything the child needs, made before the fork: after it only async-signal-safe calls are allowed,
// because another thread may hold the allocator's lock.
struct Prepared {
  std::vector<char*> argv, env;
  std::string overlay_data;
  int null_fd = -1;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void die(const char* what) {
  const char* reason = ::strerrordesc_np(errno);
  if (::write(STDERR_FILENO, what, std::strlen(what)) < 0 || ::write(STDERR_FILENO, ": ", 2) < 0 ||
      ::write(STDERR_FILENO, reason, std::strlen(reason)) < 0) {
    ::_exit(126);
  }
  ::_exit(127);
}

constexpr int kMaxKept = 64;  // memory volumes of one pod

void detach_mounts(const LaunchOptions& options) {
  int kept[kMaxKept];
  size_t count = 0;
  for (const auto& path : options.keep_mounts) {
    if (count == kMaxKept) break;
    kept[count++] = static_cast<int>(
        ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_RECURSIVE));
  }
  for (const auto& path : options.detach) ::umount2(path.c_str(), MNT_DETACH);
  for (size_t i = 0; i < count; ++i) {
    if (kept[i] < 0) continue;
    if (::syscall(SYS_move_mount, kept[i], "", AT_FDCWD, options.keep_mounts[i].c_str(),
                  4 /* F_EMPTY_PATH */) != 0) {
      die("attach a volume");
    }
    ::close(kept[i]);
  }
}

void attach_sub_paths(const LaunchOptions& options) {
  for (const auto& mount : options.sub_paths) {
    const int volume = ::open(mount.volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (volume < 0) die("open a volume");
    const int inside = io::open_below(volume, mount.sub_path.c_str(), O_PATH, io::Links::kFollow);
    if (inside < 0) die("open a subPath within its volume");
    const int tree = static_cast<int>(::syscall(
        SYS_open_tree, inside, "", 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
    if (tree < 0 ||
        ::syscall(SYS_move_mount, tree, "", AT_FDCWD, mount.target.c_str(), 4 /* F_EMPTY_PATH */) != 0) {
      die("attach a subPath");
    }
    for (const int fd : {tree, inside, volume}) ::close(fd);
  }
}

void connect_output(const LaunchOptions& options, const Prepared& prepared) {
  ::dup2(prepared.null_fd, STDIN_FILENO);
  ::dup2(options.stdout_fd >= 0 ? options.stdout_fd : prepared.null_fd, STDOUT_FILENO);
  ::dup2(options.stderr_fd >= 0 ? options.stderr_fd : prepared.null_fd, STDERR_FILENO);
}

// Numbers above those of the targets, so that no target overwrites a source.
void pass_descriptors(const LaunchOptions& options) {
  int copies[16];
  size_t count = 0;
  int highest = STDERR_FILENO;
  for (const auto& [source, target] : options.pass) {
    if (count == 16) break;
    copies[count++] = ::fcntl(source, F_DUPFD, 100);
    if (target > highest) highest = target;
  }
  for (size_t i = 0; i < count; ++i) ::dup2(copies[i], options.pass[i].second);
  ::syscall(SYS_close_range, static_cast<unsigned>(highest + 1), ~0U, 0U);
}

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
}

[[noreturn]] void run_child(const LaunchOptions& options, const Prepared& prepared) {
  reset_signals();
  ::setsid();
  connect_output(options, prepared);
  if (::unshare(CLONE_NEWNS) != 0) die("unshare mounts");
  if (::mount("", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) die("isolate mounts");
  detach_mounts(options);
  attach_sub_paths(options);
  if (options.overlay != nullptr) {
    if (::chdir(options.overlay->layers_directory.c_str()) != 0) die("enter the layers");
    if (::mount("overlay", options.overlay->target.c_str(), "overlay", 0, prepared.overlay_data.c_str()) !=
        0) {
      die("mount the container's root");
    }
  }
  if (::chdir("/") != 0) die("enter /");
  for (const int fd : options.join) {
    if (::setns(fd, 0) != 0) die("join a namespace");
  }
  pass_descriptors(options);
  ::execve(prepared.argv[0], prepared.argv.data(), prepared.env.data());
  die(prepared.argv[0]);
}

}  // namespace

Result<pid_t> launch(const LaunchOptions& options) {
  Prepared prepared;
  prepared.argv = pointers(options.argv);
  prepared.env = pointers(options.env);
  if (options.overlay != nullptr) {
    prepared.overlay_data = "lowerdir=" + join(options.overlay->lower, ":") +
                            ",upperdir=" + options.overlay->upper + ",workdir=" + options.overlay->work;
  }
  io::UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) return fail_errno(errno, "open /dev/null");
  prepared.null_fd = null_fd.get();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno(errno, "fork");
  if (pid == 0) run_child(options, prepared);
  return pid;
}

}  // namespace skiff::node
