#include "node/images/layout_write.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "io/durable.h"
#include "io/file.h"
#include "node/digest.h"
#include "node/images/layout.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr const char* kTagAnnotation = "org.opencontainers.image.ref.name";

Value strings(const std::vector<std::string>& items) {
  Value out = Value::array();
  for (const auto& item : items) out.push_back(item);
  return out;
}

}  // namespace

Result<std::string> file_digest(const std::string& path) {
  io::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno(errno, "open " + path);
  Sha256 sum;
  std::string buffer(1 << 20, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0) return fail_errno(errno, "read " + path);
    if (got == 0) return "sha256:" + sum.finish();
    sum.update({buffer.data(), static_cast<size_t>(got)});
  }
}

namespace {

int64_t file_bytes(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

Result<Value> put_json(const std::string& folder, const char* type, const Value& document) {
  const std::string text = json::encode(document);
  const std::string digest = "sha256:" + sha256_hex(text);
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(blob_path(folder, digest), text));
  return Value::object({{"mediaType", type}, {"digest", digest}, {"size", text.size()}});
}

using WantTag = std::function<bool(const std::string& tag)>;

// The entries of the index whose tags are wanted.
Result<Value> read_entries(const std::string& folder, const WantTag& wanted) {
  auto text = io::read_file(folder + "/index.json");
  if (!text) return std::unexpected(text.error());
  auto index = json::parse(*text);
  if (!index) return wrap(index.error(), folder + "/index.json");
  Value out = Value::array();
  for (const auto& entry : (*index)["manifests"].items()) {
    if (wanted(entry["annotations"][kTagAnnotation].str())) out.push_back(entry);
  }
  return out;
}

Result<void> write_index(const std::string& folder, const Value& entries) {
  return io::write_file_atomic(folder + "/index.json",
                               json::encode(Value::object({{"schemaVersion", 2}, {"manifests", entries}})));
}

Result<void> put_index(const std::string& folder, const std::string& tag, Value manifest) {
  manifest.set("annotations", Value::object({{kTagAnnotation, tag}}));
  const WantTag others = [&](const std::string& other) { return other != tag; };
  Value entries = read_entries(folder, others).value_or(Value::array());
  entries.push_back(manifest);
  return write_index(folder, entries);
}

}  // namespace

Result<std::vector<std::string>> write_layout(const std::string& folder, const std::string& tag,
                                              const ImageConfig& config,
                                              const std::vector<LayerSource>& layers) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder + "/blobs/sha256"));
  std::vector<std::string> digests;
  Value descriptors = Value::array();
  for (const auto& layer : layers) {
    std::string digest = layer.digest;
    if (!layer.tar.empty()) {
      auto computed = file_digest(layer.tar);
      if (!computed) return std::unexpected(computed.error());
      digest = *computed;
      if (::chmod(layer.tar.c_str(), 0600) != 0) return fail_errno(errno, "chmod " + layer.tar);
      SKIFF_RETURN_IF_ERROR(io::publish(layer.tar, blob_path(folder, digest)));
    }
    descriptors.push_back(Value::object({{"mediaType", "application/vnd.oci.image.layer.v1.tar"},
                                         {"digest", digest},
                                         {"size", file_bytes(blob_path(folder, digest))}}));
    digests.push_back(std::move(digest));
  }
  const Value run = Value::object({{"Env", strings(config.env)},
                                   {"Entrypoint", strings(config.entrypoint)},
                                   {"Cmd", strings(config.cmd)},
                                   {"WorkingDir", config.directory},
                                   {"User", config.user},
                                   {"StopSignal", config.stop_signal}});
#if defined(__x86_64__)
  const char* architecture = "amd64";
#else
  const char* architecture = "arm64";
#endif
  auto configuration = put_json(
      folder, "application/vnd.oci.image.config.v1+json",
      Value::object({{"architecture", architecture},
                     {"os", "linux"},
                     {"config", run},
                     {"rootfs", Value::object({{"type", "layers"}, {"diff_ids", strings(digests)}})}}));
  if (!configuration) return std::unexpected(configuration.error());
  constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";
  auto manifest = put_json(folder, kManifest,
                           Value::object({{"schemaVersion", 2},
                                          {"mediaType", kManifest},
                                          {"config", *configuration},
                                          {"layers", descriptors}}));
  if (!manifest) return std::unexpected(manifest.error());
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(folder + "/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  SKIFF_RETURN_IF_ERROR(put_index(folder, tag, std::move(*manifest)));
  return digests;
}

namespace {

// Adds the digests of what an entry of the index names, its own too.
Result<void> add_named(const std::string& folder, const Value& entry, std::set<std::string>& named) {
  const std::string digest = entry["digest"].str();
  auto text = io::read_file(blob_path(folder, digest));
  if (!text) return std::unexpected(text.error());
  auto manifest = json::parse(*text);
  if (!manifest) return wrap(manifest.error(), blob_path(folder, digest));
  named.insert({digest, (*manifest)["config"]["digest"].str()});
  for (const auto& layer : (*manifest)["layers"].items()) named.insert(layer["digest"].str());
  return {};
}

}  // namespace

Result<void> prune_layout(const std::string& folder,
                          const std::function<bool(const std::string& tag)>& keep) {
  auto entries = read_entries(folder, keep);
  if (!entries) return std::unexpected(entries.error());
  std::set<std::string> named;
  for (const auto& entry : entries->items()) SKIFF_RETURN_IF_ERROR(add_named(folder, entry, named));
  SKIFF_RETURN_IF_ERROR(write_index(folder, *entries));
  auto blobs = io::list_directory(folder + "/blobs/sha256");
  if (!blobs) return std::unexpected(blobs.error());
  for (const auto& blob : *blobs) {
    const std::string path = folder + "/blobs/sha256/" + blob;
    if (!named.contains("sha256:" + blob) && ::unlink(path.c_str()) != 0 && errno != ENOENT)
      return fail_errno(errno, "remove " + path);
  }
  return {};
}

}  // namespace skiff::node
