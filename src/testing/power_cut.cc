#include "testing/power_cut.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "base/check.h"
#include "io/file.h"

namespace skiff::testing {

namespace fs = std::filesystem;

struct PowerCut::State {
  struct Synced {
    std::string bytes;
    io::UniqueFd held;  // so that its number is not given to another file
  };
  std::string folder, copies = "/tmp/skiff-power-cut-XXXXXX";
  std::map<ino_t, Synced> synced;
  size_t steps = 0;
  std::recursive_mutex mutex;

  bool holds(const std::string& path) const { return path.starts_with(folder + "/") || path == folder; }

  void note_file(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    std::ifstream in(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    io::UniqueFd held(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    synced[info.st_ino] = {std::move(bytes), std::move(held)};
  }

  void note_all() {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && !entry.is_symlink()) note_file(entry.path());
    }
  }

  std::string copy_path(size_t step) const { return copies + "/" + std::to_string(step); }

  void copy_entry(const fs::path& from, const fs::path& to) {
    struct stat info{};
    if (::lstat(from.c_str(), &info) != 0) return;
    if (S_ISDIR(info.st_mode)) {
      ::mkdir(to.c_str(), 0700);
      for (const auto& entry : fs::directory_iterator(from))
        copy_entry(entry.path(), to / entry.path().filename());
    } else if (S_ISREG(info.st_mode)) {
      const auto found = synced.find(info.st_ino);
      std::ofstream(to, std::ios::binary) << (found == synced.end() ? "" : found->second.bytes);
    } else if (S_ISLNK(info.st_mode)) {
      fs::copy_symlink(from, to);
      return;
    } else {
      ::mknod(to.c_str(), info.st_mode, info.st_rdev);
    }
    if (::lchown(to.c_str(), info.st_uid, info.st_gid) == 0) ::chmod(to.c_str(), info.st_mode & 07777);
  }

  void step() { copy_entry(folder, copy_path(steps++)); }
};

namespace {

PowerCut::State* g_active = nullptr;
thread_local bool t_inside = false;  // our own calls are not steps

struct Inside {
  Inside() { t_inside = true; }
  ~Inside() { t_inside = false; }
};

std::string path_of(int fd) {
  std::error_code error;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
}

std::string path_at(int fd, const char* name) {
  return name[0] == '/' || fd == AT_FDCWD ? name : path_of(fd) + "/" + name;
}

template <typename Call>
Call* real(const char* name) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name));
}

// Runs `call` as a step when it touches the disk that is looked at, then `after`.
template <typename Call, typename After>
int as_step(const std::string& path, Call call, After after) {
  if (g_active == nullptr || t_inside || !g_active->holds(path)) return call();
  const std::lock_guard lock(g_active->mutex);
  const Inside inside;
  g_active->step();
  const int result = call();
  if (result == 0) after();
  return result;
}

constexpr auto kNothing = [] {};

}  // namespace

PowerCut::PowerCut(std::string folder) : state_(std::make_unique<State>()) {
  const Inside inside;
  state_->folder = std::move(folder);
  SKIFF_CHECK(::mkdtemp(state_->copies.data()) != nullptr);
  state_->note_all();
  g_active = state_.get();
}

PowerCut::~PowerCut() {
  g_active = nullptr;
  auto removed = io::remove_tree(state_->copies);
}

size_t PowerCut::cuts() const {
  return state_->steps;
}

std::string PowerCut::after_cut(size_t step) {
  const Inside inside;
  const std::string path = state_->copy_path(step);
  if (step == state_->steps && !fs::exists(path)) state_->copy_entry(state_->folder, path);
  return path;
}

}  // namespace skiff::testing

using namespace skiff::testing;

extern "C" {

int fsync(int fd) {
  const std::string path = g_active != nullptr && !t_inside ? path_of(fd) : "";
  return as_step(path, [fd] { return real<int(int)>("fsync")(fd); }, [&path] { g_active->note_file(path); });
}

int fdatasync(int fd) {
  return fsync(fd);
}

int syncfs(int fd) noexcept {
  const std::string path = g_active != nullptr && !t_inside ? path_of(fd) : "";
  return as_step(path, [fd] { return real<int(int)>("syncfs")(fd); }, [] { g_active->note_all(); });
}

int rename(const char* from, const char* to) noexcept {
  return as_step(to, [=] { return real<int(const char*, const char*)>("rename")(from, to); }, kNothing);
}

int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
  return as_step(
      path_at(to_fd, to),
      [=] { return real<int(int, const char*, int, const char*)>("renameat")(from_fd, from, to_fd, to); },
      kNothing);
}

int link(const char* from, const char* to) noexcept {
  return as_step(to, [=] { return real<int(const char*, const char*)>("link")(from, to); }, kNothing);
}

int unlink(const char* path) noexcept {
  return as_step(path, [=] { return real<int(const char*)>("unlink")(path); }, kNothing);
}

int unlinkat(int fd, const char* name, int flags) noexcept {
  return as_step(
      path_at(fd, name), [=] { return real<int(int, const char*, int)>("unlinkat")(fd, name, flags); },
      kNothing);
}

}  // extern "C"
