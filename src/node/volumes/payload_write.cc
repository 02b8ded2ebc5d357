#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/strings.h"
#include "io/file.h"
#include "node/runtime/record.h"
#include "node/volumes/payload.h"

namespace skiff::node {

namespace {

constexpr const char* kCurrent = "/..data";
constexpr int kGroupRead = 0440;

std::string top_of(const std::string& path) {
  return path.substr(0, path.find('/'));
}

std::string current_folder(const std::string& folder) {
  char target[256];
  const ssize_t size = ::readlink((folder + kCurrent).c_str(), target, sizeof target);
  const std::string name = size > 0 ? std::string(target, static_cast<size_t>(size)) : "";
  // Removed later as a whole: only ever a hidden folder beside the link.
  const bool ours = name.size() > 2 && name.starts_with("..") && name.find('/') == std::string::npos;
  return ours ? name : "";
}

bool unchanged(const std::string& folder, const std::string& current, const Payload& payload) {
  if (current.empty()) return false;
  for (const auto& [path, file] : payload) {
    auto text = io::read_file(folder + "/" + current + "/" + path);
    if (!text || *text != file.data) return false;
  }
  // A file that is no longer wanted shows as a link to something the payload lacks.
  std::set<std::string> tops;
  for (const auto& [path, file] : payload) tops.insert(top_of(path));
  auto names = io::list_directory(folder + "/" + current);
  return names && std::set<std::string>(names->begin(), names->end()) == tops;
}

Result<void> write_files(const std::string& folder, const Payload& payload, std::optional<uint32_t> group) {
  for (const auto& [path, file] : payload) {
    const std::string target = folder + "/" + path;
    SKIFF_RETURN_IF_ERROR(io::make_directories(target.substr(0, target.rfind('/')), 0755));
    SKIFF_RETURN_IF_ERROR(write_quick(target, file.data));
    if (group && ::chown(target.c_str(), 0, *group) != 0) return fail_errno(errno, "chown " + target);
    const int mode = group ? file.mode | kGroupRead : file.mode;
    if (::chmod(target.c_str(), static_cast<mode_t>(mode)) != 0) return fail_errno(errno, "chmod " + target);
  }
  return {};
}

Result<void> replace_link(const std::string& link, const std::string& target) {
  const std::string temporary = link + "_tmp";
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return fail_errno(errno, "link " + temporary);
  if (::rename(temporary.c_str(), link.c_str()) != 0) return fail_errno(errno, "replace " + link);
  return {};
}

// Removes hidden folders but for one: those before it, and what a killed agent left.
Result<void> remove_other_versions(const std::string& folder, const std::string& but) {
  auto names = io::list_directory(folder);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    if (name.starts_with("..") && "/" + name != kCurrent && name != but)
      SKIFF_RETURN_IF_ERROR(io::remove_tree(folder + "/" + name));
  }
  return {};
}

}  // namespace

Result<void> write_payload(const std::string& folder, const Payload& payload, std::optional<uint32_t> group) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0755));
  ::chmod(folder.c_str(), 0755);
  const std::string old = current_folder(folder);
  SKIFF_RETURN_IF_ERROR(remove_other_versions(folder, old));
  if (unchanged(folder, old, payload)) return {};
  std::string fresh = folder + "/..XXXXXX";
  if (::mkdtemp(fresh.data()) == nullptr) return fail_errno(errno, "make " + fresh);
  ::chmod(fresh.c_str(), 0755);
  SKIFF_RETURN_IF_ERROR(write_files(fresh, payload, group));
  const std::string version = fresh.substr(folder.size() + 1);
  SKIFF_RETURN_IF_ERROR(replace_link(folder + kCurrent, version));
  std::set<std::string> tops;
  for (const auto& [path, file] : payload) tops.insert(top_of(path));
  for (const auto& top : tops) {
    const std::string link = folder + "/" + top;
    if (::symlink(("..data/" + top).c_str(), link.c_str()) != 0 && errno != EEXIST)
      return fail_errno(errno, "link " + link);
  }
  auto names = io::list_directory(folder);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    if (!name.starts_with("..") && !tops.contains(name)) ::unlink((folder + "/" + name).c_str());
  }
  return remove_other_versions(folder, version);
}

}  // namespace skiff::node
