#include "node/runtime/sandbox.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/check.h"
#include "io/file.h"

namespace skiff::node {

namespace {

constexpr const char* kNamespaceNames[] = {"net", "ipc", "uts"};
constexpr const char* kSignOfLife = "uts";  // kept as the last one: the others and the network are there then

std::string own_namespace(const std::string& name) {
  return "/proc/thread-self/ns/" + name;
}

// Puts the thread back where it was, whatever happened in between.
class NamespaceVisit {
 public:
  Result<void> enter_new(int flags) {
    SKIFF_RETURN_IF_ERROR(remember_home());
    if (::unshare(flags) != 0) return fail_errno(errno, "make the pod's namespaces");
    entered_ = true;
    return {};
  }
  Result<void> enter_network(const std::string& path) {
    io::UniqueFd there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!there) return fail_errno(errno, "open " + path);
    SKIFF_RETURN_IF_ERROR(remember_home());
    if (::setns(there.get(), CLONE_NEWNET) != 0) return fail_errno(errno, "enter " + path);
    entered_ = true;
    return {};
  }
  ~NamespaceVisit() {
    if (!entered_) return;
    // A thread left in a pod's namespace would do later work in the wrong network.
    for (const auto& fd : home_) SKIFF_CHECK(::setns(fd.get(), 0) == 0);
  }

 private:
  Result<void> remember_home() {
    for (const char* name : kNamespaceNames) {
      home_.emplace_back(::open(own_namespace(name).c_str(), O_RDONLY | O_CLOEXEC));
      if (!home_.back()) return fail_errno(errno, "open " + own_namespace(name));
    }
    return {};
  }

  std::vector<io::UniqueFd> home_;
  bool entered_ = false;
};

Result<io::UniqueFd> open_own(const std::string& name) {
  io::UniqueFd out(::open(own_namespace(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!out) return fail_errno(errno, "open the pod's namespace " + name);
  return out;
}

Result<void> pin(const io::UniqueFd& name_space, const std::string& target) {
  const io::UniqueFd file(::open(target.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0400));
  if (!file) return fail_errno(errno, "create " + target);
  const std::string source = "/proc/thread-self/fd/" + std::to_string(name_space.get());
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return fail_errno(errno, "keep namespace " + target);
  }
  return {};
}

Result<void> pin_own(const std::string& name, const std::string& folder) {
  auto own = open_own(name);
  if (!own) return std::unexpected(own.error());
  return pin(*own, folder + "/" + name);
}

// All but the sign of life, whose namespace is returned.
Result<io::UniqueFd> build_inside(const std::string& folder, const std::string& hostname, PodNetwork network,
                                  const NetworkSteps& steps) {
  NamespaceVisit visit;
  SKIFF_RETURN_IF_ERROR(
      visit.enter_new(CLONE_NEWIPC | CLONE_NEWUTS | (network == PodNetwork::kOwn ? CLONE_NEWNET : 0)));
  if (::sethostname(hostname.data(), hostname.size()) != 0)
    return fail_errno(errno, "set the pod's host name");
  SKIFF_RETURN_IF_ERROR(pin_own("ipc", folder));
  if (network == PodNetwork::kOwn) {
    SKIFF_RETURN_IF_ERROR(pin_own("net", folder));
    auto net = open_own("net");
    if (!net) return net;
    SKIFF_RETURN_IF_ERROR(steps.inside(net->get()));
  }
  return open_own(kSignOfLife);
}

Result<void> build(const std::string& folder, const std::string& hostname, PodNetwork network,
                   const NetworkSteps& steps) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder));
  auto life = build_inside(folder, hostname, network, steps);
  if (!life) return std::unexpected(life.error());
  if (network == PodNetwork::kOwn) SKIFF_RETURN_IF_ERROR(steps.outside());
  return pin(*life, folder + "/" + kSignOfLife);
}

}  // namespace

Result<void> make_sandbox(const std::string& folder, const std::string& hostname, PodNetwork network,
                          const NetworkSteps& steps) {
  auto made = build(folder, hostname, network, steps);
  if (!made) {
    auto removed = remove_sandbox(folder);
    return wrap(made.error(), "set up the pod's namespaces");
  }
  return {};
}

bool sandbox_alive(const std::string& folder) {
  struct statfs info{};
  return ::statfs((folder + "/" + kSignOfLife).c_str(), &info) == 0 && info.f_type == NSFS_MAGIC;
}

Result<void> visit_network(const std::string& folder, const std::function<Result<void>()>& look) {
  NamespaceVisit visit;
  SKIFF_RETURN_IF_ERROR(visit.enter_network(folder + "/net"));
  return look();
}

Result<void> remove_sandbox(const std::string& folder) {
  for (const char* name : kNamespaceNames) ::umount2((folder + "/" + name).c_str(), MNT_DETACH);
  return io::remove_tree(folder);
}

Result<void> make_mount_point(const std::string& path) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(path));
  // A bind mount of a folder onto itself has the same device as its parent: only statx tells a mount root.
  struct statx info{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &info) != 0)
    return fail_errno(errno, "stat " + path);
  if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return {};
  if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return fail_errno(errno, "mount " + path);
  if (::mount("", path.c_str(), nullptr, MS_PRIVATE, nullptr) != 0)
    return fail_errno(errno, "isolate " + path);
  return {};
}

}  // namespace skiff::node
