#include "node/runtime/cgroup_host.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"

namespace skiff::node {

CgroupHost read_cgroup_host(const std::string& mounts) {
  CgroupHost host;
  bool legacy = false;
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 3 || !fields[1].starts_with("/sys/fs/cgroup")) continue;
    if (fields[2] == "cgroup2") {
      host.unified_mount = fields[1];
      host.roots.push_back(fields[1]);
    } else if (fields[2] == "cgroup") {
      legacy = true;
      host.roots.push_back(fields[1]);
      if (fields.size() < 4) continue;
      // Its controllers stand among the mount options: "rw,relatime,cpu,cpuacct".
      for (const auto& option : split(fields[3], ',')) host.controllers[option] = fields[1];
    }
  }
  if (legacy) host.layout = host.unified_mount.empty() ? CgroupLayout::kLegacy : CgroupLayout::kHybrid;
  if (host.layout != CgroupLayout::kHybrid) host.unified_mount.clear();
  return host;
}

namespace {
void remove_tree_of_groups(const std::string& path) {
  auto names = io::list_directory(path);
  if (!names) return;
  for (const auto& name : *names) {
    struct stat info{};
    const std::string child = path + "/" + name;
    if (::lstat(child.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) remove_tree_of_groups(child);
  }
  ::rmdir(path.c_str());
}
}  // namespace

void remove_cgroup(const CgroupHost& host, const std::string& path) {
  for (const auto& root : host.roots) remove_tree_of_groups(root + path);
}

}  // namespace skiff::node
