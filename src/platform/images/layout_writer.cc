#include "platform/images/layout_writer.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "io/durable.h"
#include "io/file.h"
#include "net/certificates.h"
#include "platform/apps/procfile.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kLayerType = "application/vnd.oci.image.layer.v1.tar";
constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kStackFolder = "stack";
constexpr const char* kRunTag = "run";
constexpr const char* kBlobs = "/blobs/sha256";

std::string blob(const std::string& layout, const std::string& digest) {
  return layout + kBlobs + "/" + digest.substr(digest.find(':') + 1);
}

Result<Value> read_json(const std::string& path) {
  auto text = io::read_file(path);
  if (!text) return std::unexpected(text.error());
  auto value = json::parse(*text);
  if (!value) return wrap(value.error(), path);
  return value;
}

Result<std::string> write_blob(const std::string& layout, const Value& value, size_t& size) {
  const std::string text = json::encode(value);
  size = text.size();
  const std::string digest = "sha256:" + hex(net::sha256(text));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(blob(layout, digest), text));
  return digest;
}

// Of what is gone or damaged nothing comes back. What else keeps it from being read, too few descriptors or a
// disk that fails, may pass: who took that for an end would throw away what is there.
bool is_lost(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kInvalidArgument;
}

struct Base {
  Value layers;  // descriptors
  Value config;
};

Result<Base> read_image(const std::string& layout, const std::string& tag) {
  auto index = read_json(layout + "/index.json");
  if (!index) return wrap(index.error(), "the run stack is not there yet; `skiff up` makes it");
  for (const auto& entry : (*index)["manifests"].items()) {
    if (entry["annotations"][kRefName].str() != tag) continue;
    auto manifest = read_json(blob(layout, entry["digest"].str()));
    if (!manifest) return std::unexpected(manifest.error());
    auto config = read_json(blob(layout, (*manifest)["config"]["digest"].str()));
    if (!config) return std::unexpected(config.error());
    return Base{(*manifest)["layers"], *config};
  }
  return fail(Code::kNotFound, layout + " has no image tagged " + tag);
}

// What the image of a stack layer has above the run stack, above what is there already.
Result<void> add_stack_layer(const std::string& layout, const std::string& name, size_t run_size,
                             Base& base) {
  auto image = read_image(layout, std::string(kRunTag) + "-" + name);
  if (!image) return std::unexpected(image.error());
  const auto digest = [](const Value& layers, size_t at) { return layers.at(at)["digest"].str(); };
  for (size_t i = 0; i < run_size; ++i) {
    if (digest(image->layers, i) == digest(base.layers, i)) continue;
    return fail(Code::kUnavailable, "the stack layer " + name + " is of another stack; push again");
  }
  for (size_t i = run_size; i < image->layers.items().size(); ++i) {
    const auto& known = base.layers.items();
    if (std::ranges::any_of(
            known, [&](const Value& layer) { return layer["digest"].str() == digest(image->layers, i); })) {
      continue;
    }
    base.layers.push_back(image->layers.at(i));
    base.config.edit("rootfs").edit("diff_ids").push_back(image->config["rootfs"]["diff_ids"].at(i));
  }
  return {};
}

Result<Base> read_stack(const std::string& layout, const std::vector<std::string>& layers) {
  auto base = read_image(layout, kRunTag);
  if (!base) return base;
  const size_t run_size = base->layers.items().size();
  for (const auto& name : layers) SKIFF_RETURN_IF_ERROR(add_stack_layer(layout, name, run_size, *base));
  return base;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat one{}, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 && one.st_ino == other.st_ino;
}

// The stack was made again, perhaps because its blob was damaged.
Result<void> replace_link(const std::string& source, const std::string& target) {
  const std::string fresh = target + ".new";
  ::unlink(fresh.c_str());
  if (::link(source.c_str(), fresh.c_str()) != 0) return fail_errno(errno, "link " + fresh);
  return io::publish(fresh, target);
}

// Layers are shared with the stack's layout by hard links; a layer the node has unpacked may be gone there.
Result<void> link_layers(const std::string& from, const std::string& to, const Value& layers) {
  for (const auto& layer : layers.items()) {
    const std::string source = blob(from, layer["digest"].str()), target = blob(to, layer["digest"].str());
    if (::link(source.c_str(), target.c_str()) == 0 || errno == ENOENT) continue;
    if (errno != EEXIST) return fail_errno(errno, "link " + target);
    if (!same_file(source, target)) SKIFF_RETURN_IF_ERROR(replace_link(source, target));
  }
  return {};
}

Value descriptor(const char* type, const std::string& digest, size_t size) {
  return Value::object({{"mediaType", type}, {"digest", digest}, {"size", size}});
}

Result<void> add_to_index(const std::string& layout, const std::string& tag, Value entry) {
  auto known = read_json(layout + "/index.json");
  if (!known && !is_lost(known.error())) return std::unexpected(known.error());
  Value manifests = Value::array();
  for (const auto& old : known.value_or(Value())["manifests"].items()) {
    if (old["annotations"][kRefName].str() != tag) manifests.push_back(old);
  }
  entry.set("annotations", Value::object({{kRefName, tag}}));
  manifests.push_back(entry);
  const Value index = Value::object({{"schemaVersion", 2}, {"manifests", manifests}});
  return io::write_file_atomic(layout + "/index.json", json::encode(index));
}

}  // namespace

bool has_blob(const std::string& images, const std::string& app, const std::string& digest, int64_t bytes) {
  struct stat info{};
  const std::string path = blob(images + "/" + app, digest);
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_size == bytes;
}

Result<std::string> write_app_image(const AppImage& image) {
  const std::string layout = image.images + "/" + image.app;
  const std::string stack = image.images + "/" + kStackFolder;
  SKIFF_RETURN_IF_ERROR(io::make_directories(layout + kBlobs));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(layout + "/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(layout + kAppMark, image.app + "\n"));
  auto base = read_stack(stack, image.stack_layers);
  if (!base) return std::unexpected(base.error());
  SKIFF_RETURN_IF_ERROR(link_layers(stack, layout, base->layers));

  Value layers = base->layers, config = base->config;
  for (const auto& layer : image.layers) {
    if (!layer.tar.empty()) SKIFF_RETURN_IF_ERROR(io::publish(layer.tar, blob(layout, layer.digest)));
    layers.push_back(descriptor(kLayerType, layer.digest, static_cast<size_t>(layer.bytes)));
    config.edit("rootfs").edit("diff_ids").push_back(layer.digest);
  }
  config.edit("config").set("WorkingDir", "/app");
  size_t size = 0;
  auto config_digest = write_blob(layout, config, size);
  if (!config_digest) return std::unexpected(config_digest.error());
  const Value manifest = Value::object({{"schemaVersion", 2},
                                        {"mediaType", kManifestType},
                                        {"config", descriptor(kConfigType, *config_digest, size)},
                                        {"layers", layers}});
  auto manifest_digest = write_blob(layout, manifest, size);
  if (!manifest_digest) return std::unexpected(manifest_digest.error());
  SKIFF_RETURN_IF_ERROR(add_to_index(layout, image.tag, descriptor(kManifestType, *manifest_digest, size)));
  return *manifest_digest;
}

Result<void> copy_app_images(const std::string& images, const std::string& from, const std::string& to) {
  SKIFF_RETURN_IF_ERROR(check_app_name(to));
  const std::string source = images + "/" + from, target = images + "/" + to;
  if (!io::path_exists(source + "/index.json")) return {};
  SKIFF_RETURN_IF_ERROR(io::make_directories(target + kBlobs));
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(target + kAppMark, to + "\n"));
  auto names = io::list_directory(source + kBlobs);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string one = source + kBlobs + "/" + name, other = target + kBlobs + "/" + name;
    if (!same_file(one, other)) SKIFF_RETURN_IF_ERROR(replace_link(one, other));
  }
  // Last: it names them.
  for (const char* name : {"/oci-layout", "/index.json"}) {
    auto text = io::read_file(source + name);
    if (!text) return std::unexpected(text.error());
    SKIFF_RETURN_IF_ERROR(io::write_file_atomic(target + name, *text));
  }
  return {};
}

Result<void> remove_app_images(const std::string& images, const std::string& app) {
  SKIFF_RETURN_IF_ERROR(check_app_name(app));  // the stack's layout lies beside those of apps
  return io::remove_tree(images + "/" + app);
}

std::string app_image_name(const std::string& app, const std::string& tag) {
  return fmt::format("skiff.local/{}:{}", app, tag);
}

bool has_app_image(const std::string& images, std::string_view image) {
  const auto halves = split_once(split_once(image, "/").after, ":");
  auto index = read_json(fmt::format("{}/{}/index.json", images, halves.before));
  if (!index) return false;
  const auto& manifests = (*index)["manifests"].items();
  return std::any_of(manifests.begin(), manifests.end(), [&](const Value& entry) {
    return entry["annotations"][kRefName].str() == halves.after;
  });
}

Result<void> prune_app_images(const std::string& images, const std::string& app,
                              const std::set<std::string>& used) {
  const std::string layout = images + "/" + app;
  auto index = read_json(layout + "/index.json");
  if (!index) return std::unexpected(index.error());
  auto& manifests = index->edit("manifests").edit_items();
  if (manifests.size() <= kKeptImages) return {};
  const auto newest = manifests.end() - static_cast<ptrdiff_t>(kKeptImages);
  manifests.erase(
      std::remove_if(manifests.begin(), newest,
                     [&](const Value& entry) {
                       return !used.contains(app_image_name(app, entry["annotations"][kRefName].str()));
                     }),
      newest);
  std::set<std::string> named;
  for (const auto& entry : manifests) {
    named.insert(entry["digest"].str());
    auto manifest = read_json(blob(layout, entry["digest"].str()));
    if (!manifest && !is_lost(manifest.error())) return std::unexpected(manifest.error());
    if (!manifest) {
      // Nothing runs from a damaged manifest; that it is there must not keep all else for ever.
      log_warn("image of a release is damaged", {{"app", app}, {"error", manifest.error().message}});
      continue;
    }
    named.insert((*manifest)["config"]["digest"].str());
    for (const auto& layer : (*manifest)["layers"].items()) named.insert(layer["digest"].str());
  }
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(layout + "/index.json", json::encode(*index)));
  auto names = io::list_directory(layout + kBlobs);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    if (!named.contains("sha256:" + name)) ::unlink((layout + kBlobs + "/" + name).c_str());
  }
  return {};
}

}  // namespace skiff::platform
