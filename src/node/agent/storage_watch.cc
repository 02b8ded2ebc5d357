#include "node/agent/storage_watch.h"

#include "io/file.h"
#include "io/tree.h"
#include "node/pod/model.h"
#include "node/pod/pod_folder.h"
#include "node/pod/quantity.h"
#include "node/volumes/payload.h"

namespace skiff::node {

namespace {

bool on_disk(const json::Value& volume) {
  return volume.contains("emptyDir") && volume["emptyDir"]["medium"].str() != "Memory";
}

// Adds a tree's bytes to those of the pod.
int64_t count(const std::string& folder, int64_t most, DiskUsage& usage) {
  if (usage.too_many) return 0;
  const io::TreeUse use = io::measure_tree(folder, most - usage.entries);
  usage.entries += use.entries;
  usage.too_many = use.too_many;
  usage.too_deep = usage.too_deep || use.too_deep;
  return use.bytes;
}

const json::Value& disk_limit(const json::Value& container) {
  return container["resources"]["limits"]["ephemeral-storage"];
}

}  // namespace

bool has_disk_limit(const json::Value& pod) {
  for (const auto& def : list_containers(pod)) {
    if (!disk_limit(def.spec).is_null()) return true;
  }
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    if (on_disk(volume) && !volume["emptyDir"]["sizeLimit"].is_null()) return true;
  }
  return false;
}

DiskUsage measure_disk(const NodePaths& paths, const json::Value& pod, int64_t most) {
  DiskUsage out;
  const std::string uid = pod["metadata"]["uid"].str();
  for (const auto& def : list_containers(pod)) {
    int64_t bytes = count(pod_log_folder(paths, pod) + "/" + def.name, most, out);
    const std::string attempts = paths.attempts(uid, def.name);
    for (const auto& attempt : io::list_directory(attempts).value_or(std::vector<std::string>{})) {
      bytes += count(attempts + "/" + attempt + "/upper", most, out);
    }
    out.containers[def.name] = bytes;
  }
  out.files = count(paths.etc(uid), most, out);
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    const std::string& name = volume["name"].str();
    if (on_disk(volume)) out.volumes[name] = count(paths.volumes(uid) + "/" + name, most, out);
    if (is_payload_volume(volume)) out.files += count(paths.volumes(uid) + "/" + name, most, out);
  }
  return out;
}

std::optional<std::string> find_disk_excess(const json::Value& pod, const DiskUsage& usage) {
  if (usage.too_many) {
    return "Files have more than " + std::to_string(usage.entries) + " names: their size can't be counted. ";
  }
  if (usage.too_deep) {
    return "Folders are nested more than " + std::to_string(io::kMaxCountedLevels) +
           " levels deep: their size can't be counted. ";
  }
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    const auto& size = volume["emptyDir"]["sizeLimit"];
    const auto limit = parse_units(size);
    const auto used = usage.volumes.find(volume["name"].str());
    if (limit && used != usage.volumes.end() && used->second > *limit) {
      return "Usage of EmptyDir volume \"" + used->first + "\" exceeds the limit \"" + size.str() + "\". ";
    }
  }
  int64_t total_limit = 0, total = usage.files;
  bool limited = true;
  for (const auto& [name, bytes] : usage.volumes) total += bytes;
  for (const auto& def : list_containers(pod)) {
    const auto limit = parse_units(disk_limit(def.spec));
    const auto used = usage.containers.find(def.name);
    const int64_t bytes = used == usage.containers.end() ? 0 : used->second;
    total += bytes;
    if (def.role == Role::kApp) limited = limited && limit.has_value();
    total_limit += def.role == Role::kApp ? limit.value_or(0) : 0;
    if (limit && bytes > *limit) {
      return "Container " + def.name + " exceeded its local ephemeral storage limit \"" +
             disk_limit(def.spec).str() + "\". ";
    }
  }
  if (limited && total_limit > 0 && total > total_limit) {
    return "Pod ephemeral local storage usage exceeds the total limit of containers " +
           std::to_string(total_limit) + ". ";
  }
  return std::nullopt;
}

}  // namespace skiff::node
