// From a pod to the description of one of its containers.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/pod/container_builder.h"
#include "node/pod/linux_pod_host.h"
#include "node/runtime/record.h"
#include "node/volumes/sub_path.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxTerminationMessage = 4096;
constexpr size_t kMaxLogTail = 2048;
constexpr size_t kMaxLogTailLines = 80;

// The parts of volumes that the container mounts, made where they are missing; each gets a place in the
// bundle.
Result<std::vector<SubPathMount>> find_sub_paths(const json::Value& container, const PodGround& ground,
                                                 const std::string& bundle) {
  std::vector<SubPathMount> out;
  for (const auto& mount : container["volumeMounts"].items()) {
    const auto& sub_path = mount["subPath"].str();
    const auto volume = ground.volumes.find(mount["name"].str());
    if (sub_path.empty() || volume == ground.volumes.end()) continue;
    auto checked = mount_source(volume->second, sub_path);
    if (!checked) return std::unexpected(checked.error());
    auto opened = open_sub_path(volume->second, sub_path);
    if (!opened) return std::unexpected(opened.error());
    struct stat info{};
    if (::fstat(opened->get(), &info) != 0) return fail_errno(errno, "stat subPath " + sub_path);
    out.push_back(
        {volume->second, sub_path, bundle + "/sub-" + std::to_string(out.size()), S_ISDIR(info.st_mode)});
  }
  return out;
}

// The runtime binds the places in the bundle, never paths through a volume.
void use_places(std::vector<Mount>& mounts, const std::vector<SubPathMount>& sub_paths) {
  for (auto& mount : mounts) {
    for (const auto& part : sub_paths) {
      if (mount.source == part.volume + "/" + part.sub_path) mount.source = part.target;
    }
  }
}

// The text of the last lines of a CRI log.
std::string log_tail(const std::string& path) {
  auto text = io::read_file(path);
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

PodIdentity LinuxPodHost::identity(const json::Value& pod, const std::string& ip) const {
  return {pod, ip, options_.host_ip, options_.node_name, options_.cpu_milli, options_.memory_bytes};
}

std::vector<Mount> LinuxPodHost::system_mounts(const json::Value& pod, const ContainerDef& def,
                                               int attempt) const {
  const std::string etc = options_.paths.etc(pod["metadata"]["uid"].str());
  return {{etc + "/hosts", "/etc/hosts"},
          {etc + "/hostname", "/etc/hostname"},
          {etc + "/resolv.conf", "/etc/resolv.conf"},
          {termination_file(options_.paths, pod, def.name, attempt),
           def.spec["terminationMessagePath"].str_or("/dev/termination-log")}};
}

io::Task<Result<ContainerSpec>> LinuxPodHost::make_spec(json::Value pod, ContainerDef def, int attempt,
                                                        Image image, PodGround ground) {
  const std::string name_space = pod["metadata"]["namespace"].str();
  auto objects = co_await volumes_.fetch(name_space, env_references(def.spec));
  if (!objects) co_return std::unexpected(objects.error());
  static const EnvMap kNoServices;
  const bool links = pod["spec"]["enableServiceLinks"].as_bool(true);
  const auto found = services_.find(links ? name_space : "");
  const EnvMap& services = found == services_.end() ? kNoServices : found->second;
  const PodIdentity who = identity(pod, ground.ip);
  auto env = resolve_env({who, def.spec, *objects, services});
  if (!env) co_return std::unexpected(env.error());
  auto expanded = expand_sub_paths(def.spec, EnvMap(env->begin(), env->end()));
  if (!expanded) co_return std::unexpected(expanded.error());
  const std::string bundle = options_.paths.bundle(pod["metadata"]["uid"].str(), def.name, attempt);
  auto sub_paths = find_sub_paths(def.spec, ground, bundle);
  if (!sub_paths) co_return std::unexpected(sub_paths.error());

  ContainerSpec spec;
  spec.key = {pod["metadata"]["uid"].str(), def.name, attempt};
  spec.id = container_id(spec.key);
  auto read = [this, &image](const std::string& path) { return images_.read_file(image, path); };
  BuildInput input{pod,
                   def,
                   image,
                   who,
                   *env,
                   ground.volumes,
                   system_mounts(pod, def, attempt),
                   cgroup_of(pod),
                   pod_hostname(pod),
                   read};
  auto config = build_container(input);
  if (!config) co_return std::unexpected(config.error());
  config->limits.oom_score_adj = std::max(config->limits.oom_score_adj, options_.least_oom_score);
  use_places(config->mounts, *sub_paths);
  config->cgroup_path = cgroup_of(pod) + "/" + spec.id;
  const std::string message_file = termination_file(options_.paths, pod, def.name, attempt);
  auto written = write_quick(message_file, "");
  if (!written) co_return std::unexpected(written.error());
  ::chmod(message_file.c_str(), 0666);

  spec.image = image.name;
  spec.image_id = image.id;
  spec.oci_config = make_oci_config(*config);
  spec.layers = image.layers;
  spec.sandbox = ground.sandbox;
  spec.sandbox_number = ground.sandbox_number;
  spec.host_network = config->host_network;
  spec.log_path = container_log_path(options_.paths, pod, def.name, attempt);
  spec.memory_volumes = ground.memory_volumes;
  spec.sub_paths = std::move(*sub_paths);
  spec.stop_signal = image.config.stop_signal;
  auto folder = io::make_directories(spec.log_path.substr(0, spec.log_path.rfind('/')));
  if (!folder) co_return std::unexpected(folder.error());
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
  auto removed =
      co_await io::run_blocking(loop_, [paths = options_.paths, pod, container, before]() -> Result<void> {
        remove_old_output(paths, pod, container, before);
        return {};
      });
}

io::Task<std::string> LinuxPodHost::pull_credentials(json::Value pod) {
  json::Value auths = json::Value::object();
  for (const auto& ref : pod["spec"]["imagePullSecrets"].items()) {
    const std::string path =
        "/api/v1/namespaces/" + pod["metadata"]["namespace"].str() + "/secrets/" + ref["name"].str();
    auto secret = co_await api_.get(path);
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
