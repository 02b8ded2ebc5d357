#include "node/images/damaged_layers.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/strings.h"
#include "io/file.h"
#include "io/tree.h"

namespace skiff::node {

namespace {

constexpr const char* kProcesses = "/proc";
constexpr std::string_view kOverlay = " - overlay ";
constexpr std::string_view kLower = "lowerdir";  // newer kernels also say "lowerdir+"
constexpr char kNameEnd = '-';                   // of a layer set aside; digests have none

// One folder for each run of the machine: nothing mounted outlives it.
std::string damaged(const NodePaths& paths) {
  return paths.images() + "/damaged";
}

std::string this_run() {
  return std::string(trim(io::read_file("/proc/sys/kernel/random/boot_id").value_or("unknown")));
}

// The mounts of a process: an overlay's options are its line's last word.
void add_lower_layers(const std::string& mounts, std::set<std::string>& layers) {
  for (const auto& line : split(mounts, '\n')) {
    if (line.find(kOverlay) == std::string::npos) continue;
    for (const auto& option : split(line.substr(line.rfind(' ') + 1), ',')) {
      const size_t equals = option.find('=');
      if (equals == std::string::npos || !option.starts_with(kLower)) continue;
      for (const auto& folder : split(option.substr(equals + 1), ':'))
        layers.insert(folder.substr(folder.rfind('/') + 1));
    }
  }
}

}  // namespace

Result<std::set<std::string>> mounted_layers() {
  auto names = io::list_directory(kProcesses);
  if (!names) return std::unexpected(names.error());
  std::set<std::string> seen, out;
  for (const auto& name : *names) {
    if (!std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const std::string process = std::string(kProcesses) + "/" + name;
    std::error_code error;
    const auto view = std::filesystem::read_symlink(process + "/ns/mnt", error);
    // One that has ended has no mounts, and those it had are seen through others or are gone.
    if (error || seen.contains(view.string())) continue;
    auto mounts = io::read_file(process + "/mountinfo");
    if (!mounts) continue;
    seen.insert(view.string());
    add_lower_layers(*mounts, out);
  }
  return out;
}

Result<void> set_damaged_aside(const NodePaths& paths, const std::string& layer) {
  const std::string folder = damaged(paths) + "/" + this_run(), from = paths.layers() + "/" + layer;
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder));
  std::string aside = folder + "/" + layer + kNameEnd + "XXXXXX";
  if (::mkdtemp(aside.data()) == nullptr) return fail_errno(errno, "make " + aside);
  if (::rename(from.c_str(), aside.c_str()) != 0 && errno != ENOENT)
    return fail_errno(errno, "set aside " + from);
  return {};
}

Result<void> remove_damaged_layers(const NodePaths& paths) {
  if (!io::path_exists(damaged(paths))) return {};
  auto runs = io::list_directory(damaged(paths));
  if (!runs) return std::unexpected(runs.error());
  for (const auto& run : *runs) {
    if (run != this_run()) SKIFF_RETURN_IF_ERROR(io::remove_tree(damaged(paths) + "/" + run));
  }
  const std::string folder = damaged(paths) + "/" + this_run();
  if (!io::path_exists(folder)) return {};
  // Listed first: what is set aside later may be mounted by then.
  auto names = io::list_directory(folder);
  if (!names) return std::unexpected(names.error());
  auto mounted = mounted_layers();
  if (!mounted) return std::unexpected(mounted.error());
  for (const auto& name : *names) {
    if (mounted->contains(name.substr(0, name.rfind(kNameEnd)))) continue;
    SKIFF_RETURN_IF_ERROR(io::remove_tree(folder + "/" + name));
  }
  return {};
}

}  // namespace skiff::node
