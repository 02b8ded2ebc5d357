#include "node/volumes/volumes.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "io/tree.h"
#include "node/pod/container_builder.h"
#include "node/pod/quantity.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int64_t kTokenSeconds = 3607;
constexpr int64_t kTokenDueTenths = 8;  // of its life, then another is fetched
constexpr Duration kOldestToken = std::chrono::hours(24);
constexpr size_t kMaxObjects = 512;  // that are read for one volume or container

// Of all keys and texts in it.
size_t text_size(const Value& value) {
  size_t out = value.str().size();
  for (const auto& item : value.items()) out += text_size(item);
  for (const auto& [key, member] : value.members()) out += key.size() + text_size(member);
  return out;
}

std::optional<uint32_t> fs_group(const Value& pod) {
  const Value& group = pod["spec"]["securityContext"]["fsGroup"];
  if (!group.is_int()) return std::nullopt;
  return static_cast<uint32_t>(group.as_int());
}

bool is_mount(const std::string& path) {
  struct statx info{};
  return ::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &info) == 0 &&
         (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// Anyone may write, as upstream: containers of a pod may run as different users.
Result<void> open_to_all(const std::string& folder, std::optional<uint32_t> group) {
  if (group && ::chown(folder.c_str(), 0, *group) != 0) return fail_errno(errno, "chown " + folder);
  if (::chmod(folder.c_str(), group ? 02777 : 0777) != 0) return fail_errno(errno, "chmod " + folder);
  return {};
}

Result<void> make_empty_dir(const std::string& folder, std::optional<uint32_t> group) {
  if (io::path_exists(folder)) return {};
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0755));
  return open_to_all(folder, group);
}

// The least of its own limit, the pod's and the node's memory.
int64_t memory_volume_bytes(const Value& pod, const Value& source, int64_t node_memory) {
  int64_t bytes = node_memory;
  for (const auto limit : {parse_units(source["sizeLimit"]), make_pod_limits(pod).memory_bytes}) {
    if (limit && *limit > 0 && (bytes <= 0 || *limit < bytes)) bytes = *limit;
  }
  return bytes;
}

Result<void> make_memory_dir(const std::string& folder, int64_t bytes, std::optional<uint32_t> group) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(folder, 0755));
  if (is_mount(folder)) return {};
  const std::string options = bytes > 0 ? "size=" + std::to_string(bytes) : "";
  if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return fail_errno(errno, "mount memory volume " + folder);
  }
  return open_to_all(folder, group);
}

// Beside it nothing may appear, not for a moment: the folder is not ours.
Result<void> make_empty_file(const std::string& path) {
  const io::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, 0644));
  if (!file && errno != EEXIST) return fail_errno(errno, "make " + path);
  return {};
}

Result<void> check_host_path(const Value& source) {
  const std::string& path = source["path"].str();
  const std::string& type = source["type"].str();
  if (type == "DirectoryOrCreate") return io::make_directories(path, 0755);
  struct stat info{};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (type == "FileOrCreate" && !exists) return make_empty_file(path);
  if (type.empty() && !exists) return io::make_directories(path, 0755);
  const bool fits =
      exists &&
      (type.empty() || type == "FileOrCreate" || (type == "Directory" && S_ISDIR(info.st_mode)) ||
       (type == "File" && S_ISREG(info.st_mode)) || (type == "Socket" && S_ISSOCK(info.st_mode)) ||
       (type == "CharDevice" && S_ISCHR(info.st_mode)) || (type == "BlockDevice" && S_ISBLK(info.st_mode)));
  if (!fits)
    return fail(Code::kInvalidArgument,
                "hostPath type check failed: " + path + " is not a " + to_lower(type));
  return {};
}

}  // namespace

io::Task<Result<ConfigObjects>> VolumeManager::fetch(std::string name_space, ObjectNames names) {
  ConfigObjects out;
  const std::string prefix = "/api/v1/namespaces/" + name_space;
  if (names.config_maps.size() + names.secrets.size() > kMaxObjects) {
    co_return fail(Code::kInvalidArgument, "more than " + std::to_string(kMaxObjects) +
                                               " ConfigMaps and Secrets are named; name fewer of them");
  }
  size_t bytes = 0;
  for (const auto& name : names.config_maps) {
    auto object = co_await get_object(prefix + "/configmaps/" + name, &bytes);
    if (!object) co_return std::unexpected(object.error());
    out.config_maps[name] = std::move(*object);
  }
  for (const auto& name : names.secrets) {
    auto object = co_await get_object(prefix + "/secrets/" + name, &bytes);
    if (!object) co_return std::unexpected(object.error());
    out.secrets[name] = std::move(*object);
  }
  co_return out;
}

// Null when there is none. Adds its size to `bytes`, which outlives the task.
io::Task<Result<Value>> VolumeManager::get_object(std::string path, size_t* bytes) {
  auto object = co_await api_.get(path);
  if (!object && object.error().code == Code::kNotFound) co_return Value();
  if (!object) co_return object;
  *bytes += text_size(*object);
  if (*bytes <= kMaxPayloadBytes) co_return object;
  co_return fail(Code::kInvalidArgument, "the ConfigMaps and Secrets come to more than " +
                                             std::to_string(kMaxPayloadBytes) + " bytes; name fewer of them");
}

io::Task<Result<Tokens>> VolumeManager::fetch_tokens(Value pod, Value volume) {
  Tokens out;
  const std::string uid = pod["metadata"]["uid"].str();
  for (const auto& wanted : token_requests(volume)) {
    const std::string audience = wanted["audience"].str();
    const int64_t seconds = wanted["expirationSeconds"].as_int(kTokenSeconds);
    const std::string key = volume["name"].str() + "/" + std::to_string(seconds) + "/" + audience;
    const KeptToken kept = tokens_[uid][key];
    out[audience] = kept.text;
    if (loop_.now() < kept.due) continue;
    auto fresh = co_await request_token(pod, audience, seconds);
    if (fresh) {
      out[audience] = fresh->text;
      tokens_[uid][key] = std::move(*fresh);
    } else if (loop_.now() >= kept.expires) {
      co_return std::unexpected(fresh.error());
    }
  }
  co_return out;
}

io::Task<Result<VolumeManager::KeptToken>> VolumeManager::request_token(Value pod, std::string audience,
                                                                        int64_t seconds) {
  const auto& metadata = pod["metadata"];
  const std::string path = "/api/v1/namespaces/" + metadata["namespace"].str() + "/serviceaccounts/" +
                           pod["spec"]["serviceAccountName"].str_or("default") + "/token";
  Value spec = Value::object(
      {{"expirationSeconds", seconds},
       {"boundObjectRef",
        Value::object(
            {{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", metadata["name"]}, {"uid", metadata["uid"]}})}});
  if (!audience.empty()) spec.set("audiences", Value::array({audience}));
  const Value request =
      Value::object({{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", spec}});
  auto answer = co_await api_.create(path, request);
  if (!answer) co_return wrap(answer.error(), "failed to fetch token");
  // The server may give another time than was asked for.
  const Duration life = std::chrono::seconds((*answer)["spec"]["expirationSeconds"].as_int(seconds));
  KeptToken token;
  token.text = (*answer)["status"]["token"].str();
  token.due = loop_.now() + std::min<Duration>(life / 10 * kTokenDueTenths, kOldestToken);
  token.expires = loop_.now() + life;
  co_return token;
}

void VolumeManager::forget(const std::string& uid) {
  tokens_.erase(uid);
}

io::Task<VolumeManager::Turn> VolumeManager::wait_for_turn() {
  auto turns = turns_;
  auto number = co_await turns->pop();
  co_return Turn(turns, number.value_or(0));
}

// A volume of files from ConfigMaps, Secrets, tokens and the downward API.
io::Task<Result<size_t>> VolumeManager::write_volume(Value pod, Value volume, size_t room) {
  auto turn = co_await wait_for_turn();
  auto objects = co_await fetch(pod["metadata"]["namespace"].str(), volume_references(volume));
  if (!objects) co_return std::unexpected(objects.error());
  auto tokens = co_await fetch_tokens(pod, volume);
  if (!tokens) co_return std::unexpected(tokens.error());
  const std::string path = paths_.volumes(pod["metadata"]["uid"].str()) + "/" + volume["name"].str();
  auto written =
      co_await io::run_blocking(loop_,
                                [path, pod, volume, objects = std::move(*objects),
                                 tokens = std::move(*tokens), node = node_, room]() -> Result<size_t> {
                                  const PodIdentity identity{pod, pod["status"]["podIP"].str(), node};
                                  auto payload = make_payload({volume, identity, objects, tokens, room});
                                  if (!payload) return std::unexpected(payload.error());
                                  SKIFF_RETURN_IF_ERROR(write_payload(path, *payload, fs_group(pod)));
                                  return payload_size(*payload);
                                });
  co_return written;
}

io::Task<Result<PreparedVolumes>> VolumeManager::prepare(Value pod) {
  PreparedVolumes out;
  const std::string uid = pod["metadata"]["uid"].str();
  const auto group = fs_group(pod);
  size_t room = kMaxPayloadBytes;
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    const std::string name = volume["name"].str();
    const std::string failed = "MountVolume.SetUp failed for volume \"" + name + "\" ";
    std::string path = paths_.volumes(uid) + "/" + name;
    Result<void> made;
    if (is_payload_volume(volume)) {
      auto written = co_await write_volume(pod, volume, room);
      if (written) room -= *written;
      if (!written) made = std::unexpected(written.error());
    } else if (volume.contains("emptyDir")) {
      const Value source = volume["emptyDir"];
      if (source["medium"].str() == "Memory") {
        path = paths_.memory_volumes(uid) + "/" + name;
        out.memory.push_back(path);
        const int64_t bytes = memory_volume_bytes(pod, source, node_.memory_bytes);
        made = co_await io::run_blocking(
            loop_, [path, bytes, group] { return make_memory_dir(path, bytes, group); });
      } else {
        made = co_await io::run_blocking(loop_, [path, group] { return make_empty_dir(path, group); });
      }
    } else if (volume.contains("hostPath")) {
      const Value source = volume["hostPath"];
      path = source["path"].str();
      made = co_await io::run_blocking(loop_, [source] { return check_host_path(source); });
    } else {
      made = fail(Code::kUnimplemented, "this kind of volume is not supported");
    }
    if (!made) co_return wrap(made.error(), failed);
    out.paths[name] = path;
  }
  co_return out;
}

io::Task<void> VolumeManager::refresh(Value pod) {
  const std::string uid = pod["metadata"]["uid"].str();
  size_t room = kMaxPayloadBytes;
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    if (!is_payload_volume(volume)) continue;
    auto written = co_await write_volume(pod, volume, room);
    if (!written) {
      log_warn("volume not refreshed",
               {{"pod", uid}, {"volume", volume["name"].str()}, {"error", written.error().message}});
      // Its old files are still there.
      const std::string path = paths_.volumes(uid) + "/" + volume["name"].str();
      written = co_await io::run_blocking(
          loop_, [path]() -> Result<size_t> { return static_cast<size_t>(io::measure_tree(path).bytes); });
    }
    room -= std::min(room, written.value_or(0));
  }
}

Result<void> VolumeManager::release(const NodePaths& paths, const std::string& uid) {
  const std::string folder = paths.memory_volumes(uid);
  auto names = io::list_directory(folder);
  if (!names) return {};
  for (const auto& name : *names) ::umount2((folder + "/" + name).c_str(), MNT_DETACH);
  return io::remove_tree(folder);
}

}  // namespace skiff::node
