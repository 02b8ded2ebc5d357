#include "node/agent/disk_pressure.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <tuple>

#include "node/pod/model.h"
#include "node/pod/quantity.h"

namespace skiff::node {

namespace {

constexpr int64_t kGibibyte = int64_t{1} << 30;
constexpr int64_t kPressurePercent = 10, kMostPressureBytes = kGibibyte;
// Of its own files a pod must have that much for its end to help: a tenth of what pressure lacks at first.
constexpr int64_t kWorthPercent = 1, kMostWorthBytes = kGibibyte / 10;
constexpr int64_t kImagesPercent = 15, kMostImagesBytes = 2 * kGibibyte;

int64_t share(int64_t total, int64_t percent, int64_t most) {
  return std::min(total / 100 * percent, most);
}

// As upstream writes quantities: the largest unit that divides.
std::string format_bytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"", "Ki", "Mi", "Gi", "Ti"};
  size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits[unit];
}

const json::Value& request_of(const json::Value& container) {
  return container["resources"]["requests"]["ephemeral-storage"];
}

bool runs(const json::Value& pod) {
  const auto& phase = pod["status"]["phase"].str();
  return phase != "Succeeded" && phase != "Failed";
}

int64_t used(const PodDiskUse& use) {
  int64_t out = use.usage.files;
  for (const auto& [name, bytes] : use.usage.containers) out += bytes;
  for (const auto& [name, bytes] : use.usage.volumes) out += bytes;
  return out;
}

int64_t used_beyond_request(const PodDiskUse& use) {
  int64_t out = used(use);
  for (const auto& def : list_containers(use.pod)) {
    if (def.role == Role::kApp) out -= parse_units(request_of(def.spec)).value_or(0);
  }
  return out;
}

std::string eviction_message(const PodDiskUse& use, const DiskSpace& disk) {
  std::string out = fmt::format(
      "The node was low on resource: ephemeral-storage. Threshold quantity: {}, available: {}. ",
      format_bytes(share(disk.total, kPressurePercent, kMostPressureBytes)), format_bytes(disk.available));
  for (const auto& def : list_containers(use.pod)) {
    const auto written = use.usage.containers.find(def.name);
    const int64_t request = parse_units(request_of(def.spec)).value_or(0);
    if (written == use.usage.containers.end() || written->second <= request) continue;
    out +=
        fmt::format("Container {} was using {}, request is {}, has larger consumption of ephemeral-storage. ",
                    def.name, format_bytes(written->second), request_of(def.spec).str_or("0"));
  }
  return out;
}

}  // namespace

DiskSpace read_disk(const std::string& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return {};
  return {static_cast<int64_t>(info.f_blocks * info.f_frsize),
          static_cast<int64_t>(info.f_bavail * info.f_frsize)};
}

bool wants_images_collected(const DiskSpace& disk) {
  return disk.available < share(disk.total, kImagesPercent, kMostImagesBytes);
}

bool under_disk_pressure(const DiskSpace& disk) {
  return disk.available < share(disk.total, kPressurePercent, kMostPressureBytes);
}

std::optional<Eviction> pick_eviction(const std::vector<PodDiskUse>& pods, const DiskSpace& disk) {
  const PodDiskUse* worst = nullptr;
  const auto rank = [](const PodDiskUse& use) {
    const int64_t beyond = used_beyond_request(use);
    return std::tuple(beyond > 0, -use.pod["spec"]["priority"].as_int(), beyond);
  };
  for (const auto& use : pods) {
    if (used(use) < share(disk.total, kWorthPercent, kMostWorthBytes)) continue;
    if (runs(use.pod) && (!worst || rank(*worst) < rank(use))) worst = &use;
  }
  if (!worst) return std::nullopt;
  return Eviction{worst->pod["metadata"]["uid"].str(), eviction_message(*worst, disk)};
}

}  // namespace skiff::node
