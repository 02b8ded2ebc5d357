// From a pod to the description of one of its containers.
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unordered_map>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/images/store.h"
#include "node/pod/container_builder.h"
#include "node/pod/linux_pod_host.h"
#include "node/pod/pod_folder.h"
#include "node/runtime/record.h"
#include "node/volumes/sub_path.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxTerminationMessage = 4096;
constexpr size_t kMaxLogTail = 2048;
constexpr size_t kMaxLogTailLines = 80;
constexpr Duration kAskAgain = std::chrono::seconds(1);  // a Secret, while the API is away

// A part of a volume and the flags of the file system that it is on.
struct FoundPart {
  SubPathMount mount;
  unsigned long flags = 0;  // statvfs(3)
};

// The parts of volumes that the container mounts, made where they are missing; each gets a place in the
// bundle.
Result<std::vector<FoundPart>> find_sub_paths(const json::Value& container, const PodGround& ground,
                                              const std::string& bundle) {
  std::vector<FoundPart> out;
  for (const auto& mount : container["volumeMounts"].items()) {
    const auto& sub_path = mount["subPath"].str();
    const auto volume = ground.volumes.find(mount["name"].str());
    if (sub_path.empty() || volume == ground.volumes.end()) continue;
    auto checked = mount_source(volume->second, sub_path);
    if (!checked) return std::unexpected(checked.error());
    auto opened = open_sub_path(volume->second, sub_path);
    if (!opened) return std::unexpected(opened.error());
    struct stat info{};
    struct statvfs system{};
    if (::fstat(opened->get(), &info) != 0 || ::fstatvfs(opened->get(), &system) != 0) {
      return fail_errno(errno, "stat subPath " + sub_path);
    }
    out.push_back(
        {{volume->second, sub_path, bundle + "/sub-" + std::to_string(out.size()), S_ISDIR(info.st_mode)},
         system.f_flag});
  }
  return out;
}

// A bind mount is made with the flags that it is given: what the source must not do, its copy must not.
void keep_flags(Mount& mount, unsigned long flags) {
  constexpr std::pair<unsigned long, const char*> kKept[] = {
      {ST_NOSUID, "nosuid"}, {ST_NODEV, "nodev"}, {ST_NOEXEC, "noexec"}, {ST_NOATIME, "noatime"}};
  for (const auto& [flag, name] : kKept) {
    if ((flags & flag) != 0) mount.flags.insert(name);
  }
  if ((flags & ST_RDONLY) != 0) mount.access = Mount::Access::kReadOnly;
}

// The runtime binds the places in the bundle, never paths through a volume. Blocking.
Result<void> settle_mounts(std::vector<Mount>& mounts, const std::vector<FoundPart>& parts) {
  std::unordered_map<std::string, const FoundPart*> by_source;
  for (const auto& part : parts) by_source.try_emplace(part.mount.volume + "/" + part.mount.sub_path, &part);
  for (auto& mount : mounts) {
    const auto part = by_source.find(mount.source);
    if (part != by_source.end()) {
      mount.source = part->second->mount.target;
      keep_flags(mount, part->second->flags);
      continue;
    }
    struct statvfs system{};
    if (::statvfs(mount.source.c_str(), &system) != 0) return fail_errno(errno, "stat " + mount.source);
    keep_flags(mount, system.f_flag);
  }
  return {};
}

// The text of the last lines of a CRI log. Read is what can matter: a line of one byte has a head of 40.
std::string log_tail(const std::string& path) {
  auto text = io::read_tail(path, kMaxLogTail * 48);
  if (!text) return "";
  const auto lines = split(*text, '\n');
  std::string out;
  const size_t first = lines.size() > kMaxLogTailLines ? lines.size() - kMaxLogTailLines : 0;
  for (size_t i = first; i < lines.size(); ++i) {
    const auto fields = split(lines[i], ' ');
    if (fields.size() < 4) continue;
    const size_t head = fields[0].size() + fields[1].size() + fields[2].size() + 3;
    out += lines[i].substr(head) + (fields[2] == "F" ? "\n" : "");
  }
  return out.size() > kMaxLogTail ? out.substr(out.size() - kMaxLogTail) : out;
}

std::string termination_file(const NodePaths& paths, const json::Value& pod, const std::string& name,
                             int attempt) {
  return paths.etc(pod["metadata"]["uid"].str()) + "/termination-" + name + "-" + std::to_string(attempt);
}

// Removes the folder's files that are named prefix, an attempt before this one, and perhaps a dot and more.
void remove_attempts(const std::string& folder, const std::string& prefix, int before) {
  for (const auto& name : io::list_directory(folder).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(prefix)) continue;
    const auto attempt = parse_int(split_once(std::string_view(name).substr(prefix.size()), ".").before);
    if (attempt && *attempt < before) ::unlink((folder + "/" + name).c_str());
  }
}

}  // namespace

void remove_old_output(const NodePaths& paths, const json::Value& pod, const std::string& container,
                       int before) {
  remove_attempts(pod_log_folder(paths, pod) + "/" + container, "", before);
  remove_attempts(paths.etc(pod["metadata"]["uid"].str()), "termination-" + container + "-", before);
}

int least_oom_score(const std::string& status, const std::string& score) {
  constexpr uint64_t kSysResource = uint64_t{1} << 24;
  constexpr int kUnbounded = -1000;
  const auto found = split_once(status, "CapEff:");
  const std::string digits(trim(split_once(found.after, "\n").before));
  const uint64_t held = std::strtoull(digits.c_str(), nullptr, 16);
  if (!found.found || (held & kSysResource) != 0) return kUnbounded;
  return static_cast<int>(parse_int(trim(score)).value_or(0));
}

namespace {

std::vector<Mount> system_mounts(const NodePaths& paths, const json::Value& pod, const ContainerDef& def,
                                 int attempt) {
  const std::string etc = paths.etc(pod["metadata"]["uid"].str());
  const bool sealed = def.spec["securityContext"]["readOnlyRootFilesystem"].as_bool();
  const auto access = sealed ? Mount::Access::kReadOnly : Mount::Access::kReadWrite;
  return {{etc + "/hosts", "/etc/hosts"},
          {etc + "/hostname", "/etc/hostname", access},
          {etc + "/resolv.conf", "/etc/resolv.conf", access},
          {termination_file(paths, pod, def.name, attempt),
           def.spec["terminationMessagePath"].str_or("/dev/termination-log")}};
}

// What make_spec() hands to a thread that may block: all by value.
struct SpecInput {
  LinuxHostOptions options;
  json::Value pod;
  ContainerDef def;
  int attempt = 0;
  Image image;
  PodGround ground;
  ConfigObjects objects;
  std::vector<json::Value> services;  // whose variables the container gets
  std::string cgroup;
};

Result<ContainerConfig> make_config(const SpecInput& input, const ContainerDef& def,
                                    const std::vector<std::pair<std::string, std::string>>& env) {
  const NodePaths& paths = input.options.paths;
  auto hostname = kernel_hostname(input.pod, input.options.hostname, input.options.cluster_domain);
  if (!hostname) return std::unexpected(hostname.error());
  const PodIdentity who{input.pod, input.ground.ip, input.options.node};
  BuildInput build{input.pod,
                   def,
                   input.image,
                   who,
                   env,
                   input.ground.volumes,
                   system_mounts(paths, input.pod, def, input.attempt),
                   input.cgroup,
                   *hostname,
                   [&](const std::string& path) { return ImageStore::read_file(paths, input.image, path); }};
  auto config = build_container(build);
  if (!config) return config;
  config->limits.oom_score_adj = std::max(config->limits.oom_score_adj, input.options.least_oom_score);
  return config;
}

Result<void> make_message_file(const std::string& path) {
  SKIFF_RETURN_IF_ERROR(write_quick(path, ""));
  if (::chmod(path.c_str(), 0666) != 0) return fail_errno(errno, "chmod " + path);
  return {};
}

// Blocking: looks into volumes and image, writes the files that the container is to find.
Result<ContainerSpec> build_spec(const SpecInput& input) {
  const NodePaths& paths = input.options.paths;
  ContainerDef def = input.def;
  const PodIdentity who{input.pod, input.ground.ip, input.options.node};
  const EnvMap services = service_env(input.services);
  auto env = resolve_env({who, def.spec, input.objects, services});
  if (!env) return std::unexpected(env.error());
  SKIFF_RETURN_IF_ERROR(expand_sub_paths(def.spec, EnvMap(env->begin(), env->end())));
  ContainerSpec spec;
  spec.key = {input.pod["metadata"]["uid"].str(), def.name, input.attempt};
  spec.id = container_id(spec.key);
  auto parts =
      find_sub_paths(def.spec, input.ground, paths.bundle(spec.key.pod_uid, def.name, input.attempt));
  if (!parts) return std::unexpected(parts.error());
  auto config = make_config(input, def, *env);
  if (!config) return std::unexpected(config.error());
  SKIFF_RETURN_IF_ERROR(make_message_file(termination_file(paths, input.pod, def.name, input.attempt)));
  SKIFF_RETURN_IF_ERROR(settle_mounts(config->mounts, *parts));
  config->cgroup_path = input.cgroup + "/" + spec.id;
  spec.image = input.image.name;
  spec.image_id = input.image.id;
  spec.oci_config = make_oci_config(*config);
  spec.layers = input.image.layers;
  spec.sandbox = input.ground.sandbox;
  spec.sandbox_number = input.ground.sandbox_number;
  spec.host_network = config->host_network;
  spec.log_path = container_log_path(paths, input.pod, def.name, input.attempt);
  spec.memory_volumes = input.ground.memory_volumes;
  for (auto& part : *parts) spec.sub_paths.push_back(std::move(part.mount));
  spec.stop_signal = input.image.config.stop_signal;
  SKIFF_RETURN_IF_ERROR(io::make_directories(spec.log_path.substr(0, spec.log_path.rfind('/'))));
  return spec;
}

}  // namespace

io::Task<Result<ContainerSpec>> LinuxPodHost::make_spec(json::Value pod, ContainerDef def, int attempt,
                                                        Image image, PodGround ground) {
  const std::string name_space = pod["metadata"]["namespace"].str();
  const Links links = pod["spec"]["enableServiceLinks"].as_bool(true) ? Links::kOwnNamespace : Links::kNone;
  auto turn = co_await volumes_.wait_for_turn();
  auto objects = co_await volumes_.fetch(name_space, env_references(def.spec));
  if (!objects) co_return std::unexpected(objects.error());
  const auto* services = services_();
  if (services == nullptr)
    co_return fail(Code::kUnavailable, "services have not yet been read at least once");
  SpecInput input{options_,
                  pod,
                  def,
                  attempt,
                  image,
                  ground,
                  std::move(*objects),
                  visible_services(*services, name_space, links),
                  cgroup_of(pod)};
  auto spec = co_await io::run_blocking(loop_, [input = std::move(input)] { return build_spec(input); });
  co_return spec;
}

std::string LinuxPodHost::termination_message(const json::Value& pod, const ContainerDef& def,
                                              const ContainerRun& run) {
  auto text =
      io::read_tail(termination_file(options_.paths, pod, def.name, run.key.attempt), kMaxTerminationMessage);
  if (text && !text->empty()) return *text;
  const bool fallback = def.spec["terminationMessagePolicy"].str() == "FallbackToLogsOnError";
  if (!fallback || run.exit_code == 0) return "";
  return log_tail(container_log_path(options_.paths, pod, def.name, run.key.attempt));
}

io::Task<void> LinuxPodHost::remove_output(json::Value pod, std::string container, int before) {
  auto removed = co_await io::run_blocking(
      removals_, [paths = options_.paths, pod, container, before]() -> Result<void> {
        remove_old_output(paths, pod, container, before);
        return {};
      });
}

static bool is_silence(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout;
}

io::Task<std::string> LinuxPodHost::pull_credentials(json::Value pod) {
  json::Value auths = json::Value::object();
  for (const auto& ref : pod["spec"]["imagePullSecrets"].items()) {
    const std::string path =
        "/api/v1/namespaces/" + pod["metadata"]["namespace"].str() + "/secrets/" + ref["name"].str();
    auto secret = co_await api_.get(path);
    // An API that is away has not said that there is none: a pull without credentials would be refused.
    while (!secret && is_silence(secret.error().code)) {
      co_await io::sleep(loop_, kAskAgain);
      secret = co_await api_.get(path);
    }
    if (!secret) continue;
    auto config = secret_value(*secret, ".dockerconfigjson");
    auto parsed = config ? json::parse(*config) : Result<json::Value>(json::Value());
    if (!parsed) continue;
    for (const auto& [registry, entry] : (*parsed)["auths"].members()) auths.set(registry, entry);
  }
  if (auths.size() == 0) co_return std::string();
  co_return json::encode(json::Value::object({{"auths", auths}}));
}

}  // namespace skiff::node
