#include "node/images/layer_store.h"

#include <sys/stat.h>
#include <utime.h>

#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "io/durable.h"
#include "io/file.h"
#include "node/digest.h"
#include "node/images/layer_script.h"
#include "node/images/layout.h"
#include "node/images/layout_write.h"
#include "node/images/shared_tree.h"
#include "node/images/store.h"

namespace skiff::node {

namespace {

constexpr const char* kEntryFile = "/layer.json";
// Checkouts of other versions on the machine may take turns; their layers need not be made at each.
constexpr auto kKeepOthers = std::chrono::hours(24 * 7);

std::string tag_name(StackTag::Set set, const std::string& layer) {
  return (set == StackTag::Set::kRun ? "run-" : "build-") + layer;
}

std::vector<std::string> digests_of_image(const LayoutImage& image) {
  std::vector<std::string> out;
  for (const auto& layer : image.layers) out.push_back(layer.digest);
  return out;
}

bool unused_for_long(const std::string& folder) {
  struct stat info{};
  if (::stat((folder + kEntryFile).c_str(), &info) != 0) return true;
  const auto age = std::chrono::system_clock::now() - std::chrono::system_clock::from_time_t(info.st_mtime);
  return age > kKeepOthers;
}

std::vector<LayerSource> sources(const std::vector<std::string>& digests) {
  std::vector<LayerSource> out;
  for (const auto& digest : digests) out.push_back({"", digest});
  return out;
}

Result<int64_t> move_blob(const std::string& folder, const std::string& tar, std::string& digest) {
  auto computed = file_digest(tar);
  if (!computed) return std::unexpected(computed.error());
  digest = *computed;
  if (::chmod(tar.c_str(), 0600) != 0) return fail_errno(errno, "chmod " + tar);
  if (::rename(tar.c_str(), blob_path(folder, digest).c_str()) != 0)
    return fail_errno(errno, "rename " + tar);
  struct stat info{};
  if (::stat(blob_path(folder, digest).c_str(), &info) != 0) return fail_errno(errno, "stat " + digest);
  return info.st_size;
}

bool has_bytes(const std::string& folder, const std::string& digest, const json::Value& bytes) {
  struct stat info{};
  return ::stat(blob_path(folder, digest).c_str(), &info) == 0 && info.st_size == bytes.as_int(-1);
}

std::string lower_dirs(const NodePaths& paths, const std::vector<std::string>& layers) {
  std::string out;
  for (const auto& layer : layers) out += (out.empty() ? "" : ":") + paths.layers() + "/" + layer;
  return out;
}

}  // namespace

Result<LayerGround> unpack_ground(const NodePaths& paths, const std::string& layout) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(paths.layers()));
  auto image = read_layout(layout, "build");
  if (!image) return std::unexpected(image.error());
  auto unpacked = ImageStore::unpack_image(paths, layout, *image);
  if (!unpacked) return std::unexpected(unpacked.error());
  return LayerGround{lower_dirs(paths, {unpacked->layers.back()}), lower_dirs(paths, unpacked->layers), ""};
}

Result<ReadyLayer> write_layer_entry(const std::string& folder, const std::string& name,
                                     const std::string& key, const LayerTars& tars) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder + "/blobs/sha256"));
  ReadyLayer out{name, key, "", ""};
  json::Value bytes = json::Value::object();
  if (!tars.run.empty()) {
    auto moved = move_blob(folder, tars.run, out.run);
    if (!moved) return std::unexpected(moved.error());
    bytes.set("run", *moved);
  }
  auto moved = move_blob(folder, tars.build, out.build);
  if (!moved) return std::unexpected(moved.error());
  bytes.set("build", *moved);
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(
      folder + kEntryFile,
      json::encode(json::Value::object(
          {{"name", name}, {"key", key}, {"run", out.run}, {"build", out.build}, {"bytes", bytes}}))));
  return out;
}

Result<ReadyLayer> read_layer_entry(const std::string& folder) {
  auto text = io::read_file(folder + kEntryFile);
  if (!text) return std::unexpected(text.error());
  auto value = json::parse(*text);
  if (!value) return wrap(value.error(), folder + kEntryFile);
  const ReadyLayer out{(*value)["name"].str(), (*value)["key"].str(), (*value)["run"].str(),
                       (*value)["build"].str()};
  const bool whole = (out.run.empty() || has_bytes(folder, out.run, (*value)["bytes"]["run"])) &&
                     has_bytes(folder, out.build, (*value)["bytes"]["build"]);
  if (!whole) return fail(Code::kDataLoss, "the stack layer in " + folder + " is damaged");
  return out;
}

void forget_damaged_blob(const std::string& folder, const std::string& digest) {
  for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    const std::string path = blob_path(folder + "/" + name, digest);
    if (!io::path_exists(path) || verify_blob(path, digest)) continue;
    log_warn("a blob that instances share is damaged and removed", {{"blob", path}});
    ::unlink(path.c_str());
  }
}

int64_t entry_bytes(const std::string& folder) {
  const json::Value entry =
      json::parse(io::read_file(folder + kEntryFile).value_or("")).value_or(json::Value());
  return entry["bytes"]["run"].as_int() + entry["bytes"]["build"].as_int();
}

std::string LayerStore::entry(const std::string& name, const std::string& key) const {
  return folder_ + "/" + name + "-" + key;
}

Result<void> LayerStore::keep(const std::string& from, const ReadyLayer& layer) const {
  const std::string target = entry(layer.name, layer.key);
  for (const auto& name : io::list_directory(folder_).value_or(std::vector<std::string>{})) {
    const std::string other = folder_ + "/" + name;
    if (name == "lock" || other == target || !unused_for_long(other)) continue;
    SKIFF_RETURN_IF_ERROR(io::remove_tree(other));
  }
  return put_copy(from, target);
}

Result<std::vector<std::string>> StackLayout::base() const {
  auto image = read_layout(folder_, "build");
  if (image && image->layers.size() == 2) return digests_of_image(*image);
  return fail(Code::kUnavailable,
              "the stack images are not there yet: `skiff up` makes them, and says so when it fails");
}

Result<std::string> StackLayout::key(const LayerRecipe& recipe) const {
  auto below = base();
  if (!below) return std::unexpected(below.error());
  return sha256_hex(join(recipe.run, " ") + "|" + join(recipe.build, " ") + "|" + kLayerScript + "|" +
                    join(*below, "|"));
}

bool StackLayout::has(const std::string& name, const std::string& key) const {
  if (io::read_file(record(name)).value_or("") != key) return false;
  for (const auto set : {StackTag::Set::kRun, StackTag::Set::kBuild}) {
    const auto image = read_layout(folder_, tag_name(set, name));
    if (!image || !has_blobs(folder_, *image)) return false;
  }
  return true;
}

Result<void> StackLayout::install(const std::string& from, const ReadyLayer& layer) const {
  auto below = base();
  if (!below) return std::unexpected(below.error());
  auto config = read_layout(folder_, "build");
  if (!config) return std::unexpected(config.error());
  for (const auto& digest : {layer.run, layer.build}) {
    if (!digest.empty())
      SKIFF_RETURN_IF_ERROR(share_file(blob_path(from, digest), blob_path(folder_, digest)));
  }
  std::vector<std::string> run = {below->front()}, build = *below;
  if (!layer.run.empty()) run.push_back(layer.run);
  if (!layer.run.empty()) build.push_back(layer.run);
  build.push_back(layer.build);
  for (const auto& [set, digests] : {std::pair(StackTag::Set::kRun, run), {StackTag::Set::kBuild, build}}) {
    auto written = write_layout(folder_, tag_name(set, layer.name), config->config, sources(digests));
    if (!written) return std::unexpected(written.error());
  }
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder_ + "/layers"));
  // A layer that is taken stays on the machine.
  ::utime((from + kEntryFile).c_str(), nullptr);
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(record(layer.name), layer.key));
  return prune();
}

// What is composed of a layer that was replaced goes too: it is composed anew when it is asked for.
Result<void> StackLayout::prune() const {
  return prune_layout(folder_, [this](const std::string& name) {
    const auto tag = parse_stack_tag(name);
    return !tag || tag->layers.size() < 2 || is_composed(name, *tag);
  });
}

std::vector<std::string> StackLayout::remove_damaged(const std::string& name) const {
  std::vector<std::string> out;
  const auto image = read_layout(folder_, name);
  if (!image) return out;
  for (const auto& layer : image->layers) {
    const std::string path = blob_path(folder_, layer.digest);
    const auto whole = verify_blob(path, layer.digest);
    if (whole) continue;
    log_warn("a blob of the stack is not used", {{"error", whole.error().message}});
    ::unlink(path.c_str());
    out.push_back(layer.digest);
  }
  return out;
}

Result<std::vector<std::string>> StackLayout::digests_of(const StackTag& tag) const {
  auto below = base();
  if (!below) return below;
  std::vector<std::string> out = *below;
  if (tag.set == StackTag::Set::kRun) out.pop_back();
  const size_t base_layers = out.size();
  for (const auto& name : tag.layers) {
    const auto image = read_layout(folder_, tag_name(tag.set, name));
    if (!image) return std::unexpected(image.error());
    const auto digests = digests_of_image(*image);
    for (size_t i = base_layers; i < digests.size(); ++i) {
      if (std::ranges::find(out, digests[i]) == out.end()) out.push_back(digests[i]);
    }
  }
  return out;
}

bool StackLayout::is_composed(const std::string& name, const StackTag& tag) const {
  const auto image = read_layout(folder_, name);
  const auto wanted = digests_of(tag);
  return image && wanted && digests_of_image(*image) == *wanted;
}

Result<void> StackLayout::compose(const std::string& name, const StackTag& tag) const {
  if (is_composed(name, tag)) return {};
  auto digests = digests_of(tag);
  if (!digests) return std::unexpected(digests.error());
  auto base_image = read_layout(folder_, "build");
  if (!base_image) return std::unexpected(base_image.error());
  auto written = write_layout(folder_, name, base_image->config, sources(*digests));
  if (!written) return std::unexpected(written.error());
  return prune();
}

}  // namespace skiff::node
