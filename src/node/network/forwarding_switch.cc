#include "node/network/forwarding_switch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/strings.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/setting.h"

namespace skiff::node {

namespace {

constexpr const char* kBridges = "skiff-";  // of all instances

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::vector<std::string> interfaces_of(const ForwardingFiles& files) {
  return io::list_directory(files.interfaces).value_or(std::vector<std::string>{});
}

std::vector<std::string> recorded(const ForwardingFiles& files) {
  std::vector<std::string> out;
  for (const auto& name : split(io::read_file(files.record).value_or(""), '\n')) {
    if (!name.empty()) out.push_back(name);
  }
  return out;
}

// Held until it is dropped.
Result<io::UniqueFd> lock(const ForwardingFiles& files) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder_of(files.record)));
  const std::string path = files.record + ".lock";
  io::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "open " + path);
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(errno, "lock " + path);
  }
  return file;
}

}  // namespace

Result<Forwarding> turn_on_forwarding(const ForwardingFiles& files) {
  auto locked = lock(files);
  if (!locked) return std::unexpected(locked.error());
  auto current = io::read_file(files.setting);
  if (!current) return std::unexpected(current.error());
  if (trim(*current) == "0") {
    std::string names;
    for (const auto& name : interfaces_of(files)) {
      const bool pods = name.starts_with(kBridges) || name.starts_with("sk");
      if (name != "lo" && !pods) names += name + "\n";
    }
    // Before the machine forwards: whoever is killed in between leaves it closed.
    io::sweep_unpublished(files.record.substr(0, files.record.rfind('/')));
    SKIFF_RETURN_IF_ERROR(io::write_file_atomic(files.record, names));
    SKIFF_RETURN_IF_ERROR(io::write_setting(files.setting, "1"));
  }
  return Forwarding{io::path_exists(files.record), recorded(files)};
}

Result<void> turn_off_forwarding(const ForwardingFiles& files) {
  if (!io::path_exists(files.record)) return {};
  auto locked = lock(files);
  if (!locked) return std::unexpected(locked.error());
  const auto before = recorded(files);
  for (const auto& name : interfaces_of(files)) {
    if (name.starts_with(kBridges)) return {};
    const bool bridge = io::path_exists(files.interfaces + "/" + name + "/bridge");
    if (!bridge || std::ranges::find(before, name) != before.end()) continue;
    log_warn("the machine goes on forwarding packets, for the guests on a bridge that came after Skiff",
             {{"bridge", name}, {"to end it", "sysctl net.ipv4.ip_forward=0"}});
    ::unlink(files.record.c_str());
    return {};
  }
  SKIFF_RETURN_IF_ERROR(io::write_setting(files.setting, "0"));
  if (::unlink(files.record.c_str()) != 0 && errno != ENOENT)
    return fail_errno(errno, "remove " + files.record);
  return {};
}

}  // namespace skiff::node
