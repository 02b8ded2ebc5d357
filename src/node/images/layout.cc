#include "node/images/layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "io/file.h"
#include "node/digest.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxManifest = 4 << 20;  // bytes of an index, manifest or configuration
constexpr int kMaxIndexDepth = 3;

#if defined(__x86_64__)
constexpr const char* kArchitecture = "amd64";
#else
constexpr const char* kArchitecture = "arm64";
#endif

std::vector<std::string> strings(const json::Value& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  return out;
}

Result<json::Value> read_json(const std::string& path) {
  auto text = io::read_file(path, kMaxManifest);
  if (!text) return std::unexpected(text.error());
  auto value = json::parse(*text);
  if (!value) return wrap(value.error(), path);
  return value;
}

// A digest is part of a path: one that is none would lead out of the layout.
Result<void> check_digest(const std::string& digest) {
  constexpr std::string_view kPrefix = "sha256:";
  constexpr size_t kDigits = 64;
  const bool good = digest.starts_with(kPrefix) && digest.size() == kPrefix.size() + kDigits &&
                    digest.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string::npos;
  if (!good) return fail(Code::kDataLoss, "unknown digest " + digest + "; sha256 is what is known here");
  return {};
}

bool wanted(const json::Value& descriptor, const std::string& tag) {
  if (!tag.empty()) return descriptor["annotations"]["org.opencontainers.image.ref.name"].str() == tag;
  const json::Value& platform = descriptor["platform"];
  return platform.is_null() || platform["architecture"].str() == kArchitecture;
}

// Follows indexes down to the manifest.
Result<json::Value> find_manifest(const std::string& folder, const json::Value& index, const std::string& tag,
                                  int depth) {
  for (const auto& descriptor : index["manifests"].items()) {
    if (!wanted(descriptor, tag)) continue;
    SKIFF_RETURN_IF_ERROR(check_digest(descriptor["digest"].str()));
    auto value = read_json(blob_path(folder, descriptor["digest"].str()));
    if (!value) return value;
    if (!value->contains("manifests")) return value;
    if (depth >= kMaxIndexDepth)
      return fail(Code::kDataLoss, "image indexes are nested too deeply in " + folder);
    return find_manifest(folder, *value, "", depth + 1);
  }
  return fail(Code::kNotFound, "no image \"" + tag + "\" for this machine in " + folder);
}

Result<LayoutLayer> parse_layer(const json::Value& descriptor) {
  LayoutLayer out;
  out.digest = descriptor["digest"].str();
  SKIFF_RETURN_IF_ERROR(check_digest(out.digest));
  auto compression = layer_compression(descriptor["mediaType"].str());
  if (!compression) return std::unexpected(compression.error());
  out.compression = *compression;
  return out;
}

// A blob that is there must have its size: one that a power cut emptied is found at once. One that is gone
// may have been unpacked already.
Result<void> check_blob_size(const std::string& path, const json::Value& size) {
  struct stat info{};
  if (size.is_null() || ::stat(path.c_str(), &info) != 0 || info.st_size == size.as_int()) return {};
  return fail(Code::kDataLoss, path + " has " + std::to_string(info.st_size) + " bytes instead of " +
                                   std::to_string(size.as_int()) + ": it is damaged");
}

}  // namespace

bool has_blobs(const std::string& folder, const LayoutImage& image) {
  return std::ranges::all_of(image.layers, [&](const LayoutLayer& layer) {
    return io::path_exists(blob_path(folder, layer.digest));
  });
}

Result<Compression> layer_compression(const std::string& media_type) {
  if (media_type.ends_with(".tar")) return Compression::kNone;
  if (media_type.ends_with(".tar+gzip") || media_type.ends_with(".tar.gzip")) return Compression::kGzip;
  if (media_type.ends_with(".tar+zstd") || media_type.ends_with(".tar.zstd")) return Compression::kZstd;
  return fail(Code::kDataLoss,
              "the layer's media type \"" + media_type +
                  "\" is none of tar, tar+gzip and tar+zstd: build the image with one of them");
}

std::string blob_path(const std::string& folder, const std::string& digest) {
  return folder + "/blobs/" + replace_all(digest, ":", "/");
}

Result<void> verify_blob(const std::string& path, const std::string& digest) {
  io::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno(errno, "open " + path);
  Sha256 sum;
  std::string buffer(256 << 10, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) return fail_errno(errno, "read " + path);
    if (got == 0) break;
    sum.update({buffer.data(), static_cast<size_t>(got)});
  }
  if ("sha256:" + sum.finish() != digest)
    return fail(Code::kDataLoss, "the bytes of " + path + " do not match its digest");
  return {};
}

ImageConfig parse_image_config(const json::Value& config) {
  return {strings(config["Env"]),     strings(config["Entrypoint"]), strings(config["Cmd"]),
          config["WorkingDir"].str(), config["User"].str(),          config["StopSignal"].str()};
}

Result<LayoutImage> read_layout(const std::string& folder, const std::string& tag) {
  auto index = read_json(folder + "/index.json");
  if (!index) return std::unexpected(index.error());
  auto manifest = find_manifest(folder, *index, tag, 0);
  if (!manifest) return std::unexpected(manifest.error());
  LayoutImage out;
  out.config_digest = (*manifest)["config"]["digest"].str();
  SKIFF_RETURN_IF_ERROR(check_digest(out.config_digest));
  const std::string config_path = blob_path(folder, out.config_digest);
  SKIFF_RETURN_IF_ERROR(verify_blob(config_path, out.config_digest));
  auto config = read_json(config_path);
  if (!config) return std::unexpected(config.error());
  out.config = parse_image_config((*config)["config"]);
  for (const auto& descriptor : (*manifest)["layers"].items()) {
    auto layer = parse_layer(descriptor);
    if (!layer) return std::unexpected(layer.error());
    SKIFF_RETURN_IF_ERROR(check_blob_size(blob_path(folder, layer->digest), descriptor["size"]));
    out.layers.push_back(std::move(*layer));
  }
  if (out.layers.empty()) return fail(Code::kDataLoss, "the image has no layers");
  return out;
}

}  // namespace skiff::node
