#include "node/images/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>

#include "base/log.h"
#include "base/strings.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/tree.h"
#include "node/digest.h"
#include "node/images/damaged_layers.h"
#include "node/images/image_files.h"
#include "node/images/layer_seal.h"
#include "node/images/unpack.h"

namespace skiff::node {

namespace {

constexpr const char* kPartial = ".partial";
constexpr const char* kLeftover = "leftover-";
constexpr const char* kRecordEnd = ".json";
constexpr size_t kMaxAccountFile = 1 << 20;  // bytes of an image's /etc/passwd or /etc/group

json::Value list_of(const std::vector<std::string>& items) {
  json::Value out = json::Value::array();
  for (const auto& item : items) out.push_back(item);
  return out;
}

json::Value encode_image(const std::string& canonical, const Image& image) {
  const auto& c = image.config;
  return json::Value::object({{"canonical", canonical},
                              {"name", image.name},
                              {"id", image.id},
                              {"bytes", image.bytes},
                              {"layers", list_of(image.layers)},
                              {"config", json::Value::object({{"Env", list_of(c.env)},
                                                              {"Entrypoint", list_of(c.entrypoint)},
                                                              {"Cmd", list_of(c.cmd)},
                                                              {"WorkingDir", c.directory},
                                                              {"User", c.user},
                                                              {"StopSignal", c.stop_signal}})}});
}

Image decode_image(const json::Value& record) {
  Image image;
  image.name = record["name"].str();
  image.id = record["id"].str();
  image.bytes = record["bytes"].as_int();
  for (const auto& layer : record["layers"].items()) image.layers.push_back(layer.str());
  image.config = parse_image_config(record["config"]);
  return image;
}

std::string layer_name(const std::string& digest) {
  return split(digest, ':').back();
}

// A folder of its own for what is on its way into or out of the store.
Result<std::string> make_partial(const std::string& target) {
  std::string partial = target + kPartial + "XXXXXX";
  if (::mkdtemp(partial.data()) == nullptr) return fail_errno(errno, "make " + partial);
  return partial;
}

// Between the look at a layer and what follows from it nobody else may act: two pulls may want the same one,
// and the one that is late must not set aside what the other made and a container stands on.
// A lock for each layer, for the look walks it.
std::mutex& lock_of(const std::string& layer) {
  static std::mutex mutex;
  static std::map<std::string, std::mutex> locks;
  const std::lock_guard lock(mutex);
  return locks[layer];
}

// The layer that is there stays if it is whole.
Result<void> put_in_place(const NodePaths& paths, const std::string& name, const std::string& partial) {
  const std::lock_guard lock(lock_of(name));
  if (layer_is_whole(paths, name)) return {};
  const std::string target = paths.layers() + "/" + name;
  if (io::path_exists(target)) {
    log_warn("an image layer is damaged; it is made again", {{"layer", name}});
    SKIFF_RETURN_IF_ERROR(set_damaged_aside(paths, name));
  }
  SKIFF_RETURN_IF_ERROR(seal_layer(paths, name, partial));
  return io::publish(partial, target);
}

Result<void> unpack_once(const NodePaths& paths, const std::string& layout, const LayoutLayer& layer) {
  const std::string name = layer_name(layer.digest);
  {
    const std::lock_guard lock(lock_of(name));
    if (layer_is_whole(paths, name)) return {};
  }
  const std::string blob = blob_path(layout, layer.digest);
  SKIFF_RETURN_IF_ERROR(verify_blob(blob, layer.digest));
  // Two pulls may unpack the same layer at once: each in its own folder, the first to be ready wins.
  auto partial = make_partial(paths.layers() + "/" + name);
  if (!partial) return std::unexpected(partial.error());
  ::chmod(partial->c_str(), 0755);
  auto unpacked = unpack_layer(blob, layer.compression, *partial);
  if (unpacked) unpacked = put_in_place(paths, name, *partial);
  if (io::path_exists(*partial)) auto removed = io::remove_tree(*partial);
  return unpacked;
}

}  // namespace

Result<void> set_leftover_aside(const NodePaths& paths, const std::string& path) {
  std::string aside = paths.images() + "/" + kLeftover + "XXXXXX";
  if (::mkdtemp(aside.data()) == nullptr) return fail_errno(errno, "make " + aside);
  if (::rename(path.c_str(), (aside + "/it").c_str()) != 0) return fail_errno(errno, "set aside " + path);
  return {};
}

Result<void> remove_leftovers(const NodePaths& paths) {
  auto names = io::list_directory(paths.images());
  if (!names) return std::unexpected(names.error());
  // One that can't be removed keeps none of the others.
  Result<void> all;
  for (const auto& name : *names) {
    if (!name.starts_with(kLeftover)) continue;
    auto removed = io::remove_tree(paths.images() + "/" + name);
    if (all) all = removed;
  }
  return all;
}

std::string ImageStore::record_path(const std::string& canonical) const {
  return paths_.images() + "/names/" + sha256_hex(canonical) + kRecordEnd;
}

Result<void> ImageStore::open() {
  SKIFF_RETURN_IF_ERROR(io::make_directories(paths_.layers()));
  SKIFF_RETURN_IF_ERROR(io::make_directories(paths_.images() + "/names"));
  sweep_seals(paths_);
  auto layers = io::list_directory(paths_.layers());
  if (!layers) return std::unexpected(layers.error());
  for (const auto& name : *layers) {
    if (name.find(kPartial) == std::string::npos) continue;
    SKIFF_RETURN_IF_ERROR(set_leftover_aside(paths_, paths_.layers() + "/" + name));
  }
  auto names = io::list_directory(paths_.images() + "/names");
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string path = paths_.images() + "/names/" + name;
    if (!name.ends_with(kRecordEnd)) {  // what a cut or a kill left of a write
      SKIFF_RETURN_IF_ERROR(io::remove_tree(path));
      continue;
    }
    auto text = io::read_file(path);
    auto value = text ? json::parse(*text) : Result<json::Value>(std::unexpected(text.error()));
    if (!value) continue;
    Image image = decode_image(*value);
    const bool whole = std::all_of(image.layers.begin(), image.layers.end(), [&](const std::string& layer) {
      return io::path_exists(paths_.layers() + "/" + layer);
    });
    if (whole) images_[(*value)["canonical"].str()] = std::move(image);
  }
  return {};
}

std::optional<Image> ImageStore::find(const std::string& canonical) const {
  const auto found = images_.find(canonical);
  if (found == images_.end()) return std::nullopt;
  return found->second;
}

std::vector<Image> ImageStore::list() const {
  std::vector<Image> out;
  for (const auto& [name, image] : images_) out.push_back(image);
  return out;
}

Result<void> ImageStore::write(const std::string& canonical, const Image& image) const {
  return io::write_file_atomic(record_path(canonical), json::encode(encode_image(canonical, image)));
}

Result<void> ImageStore::forget(const std::string& canonical) {
  images_.erase(canonical);
  return io::remove_tree(record_path(canonical));
}

std::set<std::string> ImageStore::layers() const {
  std::set<std::string> out;
  for (const auto& [name, image] : images_) out.insert(image.layers.begin(), image.layers.end());
  return out;
}

Result<void> ImageStore::set_unused_aside(const std::set<std::string>& mounted) {
  std::set<std::string> used = layers();
  used.insert(mounted.begin(), mounted.end());
  auto found = io::list_directory(paths_.layers());
  if (!found) return std::unexpected(found.error());
  Result<void> all;
  for (const auto& layer : *found) {
    if (used.contains(layer)) continue;
    log_info("image layer removed", {{"layer", layer}});
    // A pull that begins now must not find half of it.
    auto set_aside = set_leftover_aside(paths_, paths_.layers() + "/" + layer);
    if (set_aside) forget_seal(paths_, layer);
    if (all) all = set_aside;
  }
  return all;
}

Result<Image> ImageStore::unpack_image(const NodePaths& paths, const std::string& layout,
                                       const LayoutImage& image) {
  Image out;
  out.id = image.config_digest;
  out.config = image.config;
  for (const auto& layer : image.layers) {
    SKIFF_RETURN_IF_ERROR(unpack_once(paths, layout, layer));
    out.layers.insert(out.layers.begin(), layer_name(layer.digest));
  }
  for (const auto& layer : out.layers) out.bytes += io::measure_tree(paths.layers() + "/" + layer).bytes;
  return out;
}

bool ImageStore::is_whole(const NodePaths& paths, const Image& image) {
  return std::ranges::all_of(image.layers, [&](const auto& layer) {
    const std::lock_guard lock(lock_of(layer));
    return layer_is_whole(paths, layer);
  });
}

std::optional<std::string> ImageStore::read_file(const NodePaths& paths, const Image& image,
                                                 const std::string& path) {
  std::vector<std::string> folders;
  for (const auto& layer : image.layers) folders.push_back(paths.layers() + "/" + layer);
  return read_image_file(folders, path, kMaxAccountFile);
}

}  // namespace skiff::node
