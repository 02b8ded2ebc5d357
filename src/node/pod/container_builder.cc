#include "node/pod/container_builder.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "node/pod/exec_budget.h"
#include "node/pod/phase.h"
#include "node/volumes/payload.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// A setting of the container's security context, else of the pod's.
const Value& security(const BuildInput& input, const char* name) {
  const Value& own = input.def.spec["securityContext"][name];
  return own.is_null() ? input.pod["spec"]["securityContext"][name] : own;
}

std::vector<std::string> strings(const Value& list) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) out.push_back(item.str());
  return out;
}

// "NAME=value" of each; of one name the first place stays.
class Environment {
 public:
  explicit Environment(std::vector<std::string> entries) : entries_(std::move(entries)) {
    for (size_t i = 0; i < entries_.size(); ++i) index_.try_emplace(name_of(entries_[i]), i);
  }
  void set(const std::string& name, const std::string& value) {
    const auto [known, fresh] = index_.try_emplace(name, entries_.size());
    if (fresh) entries_.emplace_back();
    entries_[known->second] = name + "=" + value;
  }
  void set_default(const std::string& name, const std::string& value) {
    if (!index_.contains(name)) set(name, value);
  }
  std::vector<std::string> take() { return std::move(entries_); }

 private:
  static std::string name_of(const std::string& entry) { return entry.substr(0, entry.find('=')); }
  std::vector<std::string> entries_;
  std::unordered_map<std::string, size_t> index_;
};

Result<std::vector<std::string>> make_env(const BuildInput& input, ExecBudget& budget) {
  Environment env(input.image.config.env);
  env.set_default("PATH", kDefaultPath);
  env.set("HOSTNAME", input.hostname);
  for (const auto& [name, value] : input.env) env.set(name, value);
  auto out = env.take();
  for (const auto& entry : out) {
    SKIFF_RETURN_IF_ERROR(budget.take("environment variable", split_once(entry, "=").before, entry.size()));
  }
  return out;
}

// The items with their variables expanded, as far as the budget goes.
Result<std::vector<std::string>> expand_all(const Value& list, const EnvMap& values, ExecBudget& budget) {
  std::vector<std::string> out;
  for (const auto& item : list.items()) {
    out.push_back(expand_variables(item.str(), values));
    SKIFF_RETURN_IF_ERROR(budget.take("argument", std::to_string(out.size()), out.back().size()));
  }
  return out;
}

// command replaces the entrypoint and, with it, the image's arguments (upstream's table).
Result<std::vector<std::string>> make_args(const BuildInput& input, ExecBudget& budget) {
  const EnvMap values(input.env.begin(), input.env.end());
  auto command = expand_all(input.def.spec["command"], values, budget);
  if (!command) return command;
  auto args = expand_all(input.def.spec["args"], values, budget);
  if (!args) return args;
  std::vector<std::string> out = command->empty() ? input.image.config.entrypoint : *command;
  const auto& rest = !args->empty() || !command->empty() ? *args : input.image.config.cmd;
  out.insert(out.end(), rest.begin(), rest.end());
  if (out.empty()) return fail(Code::kInvalidArgument, "no command specified");
  return out;
}

// The groups that the pod names, after those of the image and each once.
void add_groups(UserIds& ids, const Value& context) {
  std::unordered_set<uint32_t> known(ids.groups.begin(), ids.groups.end());
  const auto add = [&](const Value& group) {
    if (!group.is_int()) return;
    const auto id = static_cast<uint32_t>(group.as_int());
    if (known.insert(id).second) ids.groups.push_back(id);
  };
  for (const auto& extra : context["supplementalGroups"].items()) add(extra);
  add(context["fsGroup"]);
}

Result<UserIds> make_user(const BuildInput& input) {
  std::string user = input.image.config.user;
  const Value& run_as = security(input, "runAsUser");
  const Value& group = security(input, "runAsGroup");
  if (run_as.is_int()) user = std::to_string(run_as.as_int());
  const std::string passwd = input.read_image_file("etc/passwd").value_or("");
  const std::string groups = input.read_image_file("etc/group").value_or("");
  auto ids = resolve_user(user, passwd, groups);
  if (!ids) return ids;
  if (group.is_int()) ids->gid = static_cast<uint32_t>(group.as_int());
  const Value& context = input.pod["spec"]["securityContext"];
  // Strict: the image has no say in it.
  if (context["supplementalGroupsPolicy"].str() == "Strict") ids->groups.clear();
  add_groups(*ids, context);
  if (security(input, "runAsNonRoot").as_bool() && ids->uid == 0) {
    const auto& metadata = input.pod["metadata"];
    const std::string where = "(pod: \"" + metadata["name"].str() + "_" + metadata["namespace"].str() + "(" +
                              metadata["uid"].str() + ")\", container: " + input.def.name + ")";
    return fail(Code::kForbidden, run_as.is_int()
                                      ? "container's runAsUser breaks non-root policy " + where
                                      : "container has runAsNonRoot and image will run as root " + where);
  }
  return ids;
}

Mount volume_mount(const Value& volume, const Value& mount, const std::string& source) {
  Mount out{source, mount["mountPath"].str()};
  // Files that the node writes are nobody else's to write, whatever the mount says.
  if (mount["readOnly"].as_bool() || is_payload_volume(volume)) out.access = Mount::Access::kReadOnly;
  // Bidirectional, too: nothing mounted in a container reaches the host.
  const auto& propagation = mount["mountPropagation"].str();
  if (propagation == "HostToContainer" || propagation == "Bidirectional") {
    out.propagation = Mount::Propagation::kFromHost;
  }
  // Devices and setuid programs of the host are why some mount it.
  if (volume.contains("hostPath")) out.flags.clear();
  return out;
}

Result<std::vector<Mount>> make_mounts(const BuildInput& input) {
  std::vector<Mount> out;
  const auto& mounts = input.def.spec["volumeMounts"].items();
  for (const auto& mount : input.system_mounts) {
    const bool own = std::any_of(mounts.begin(), mounts.end(), [&](const Value& other) {
      return other["mountPath"].str() == mount.destination;
    });
    if (!own) out.push_back(mount);
  }
  std::unordered_map<std::string_view, const Value*> volumes;
  for (const auto& volume : input.pod["spec"]["volumes"].items()) {
    volumes.try_emplace(volume["name"].str(), &volume);
  }
  for (const auto& mount : mounts) {
    const auto volume = input.volumes.find(mount["name"].str());
    if (volume == input.volumes.end()) {
      return fail(Code::kInvalidArgument, "volume \"" + mount["name"].str() + "\" is not in the pod");
    }
    auto source = mount_source(volume->second, mount["subPath"].str());
    if (!source) return std::unexpected(source.error());
    static const Value kNothing;
    const auto described = volumes.find(mount["name"].str());
    out.push_back(volume_mount(described == volumes.end() ? kNothing : *described->second, mount, *source));
  }
  // A mount below another one comes after it.
  const auto depth = [](const Mount& mount) {
    return std::count(mount.destination.begin(), mount.destination.end(), '/');
  };
  std::sort(out.begin(), out.end(), [&](const Mount& a, const Mount& b) {
    return std::pair(depth(a), a.destination) < std::pair(depth(b), b.destination);
  });
  return out;
}

bool uses_default_filter(const BuildInput& input) {
  return security(input, "seccompProfile")["type"].str() != "Unconfined";
}

}  // namespace

Result<std::string> mount_source(const std::string& volume, const std::string& sub_path) {
  if (sub_path.empty()) return volume;
  for (const auto& part : split(sub_path, '/')) {
    if (part == "..") return fail(Code::kInvalidArgument, "subPath must not contain '..': " + sub_path);
  }
  if (sub_path.front() == '/') return fail(Code::kInvalidArgument, "subPath must be relative: " + sub_path);
  return volume + "/" + sub_path;
}

Result<ContainerConfig> build_container(const BuildInput& input) {
  ContainerConfig out;
  ExecBudget budget;
  auto args = make_args(input, budget);
  if (!args) return std::unexpected(args.error());
  auto env = make_env(input, budget);
  if (!env) return std::unexpected(env.error());
  auto user = make_user(input);
  if (!user) return std::unexpected(user.error());
  auto mounts = make_mounts(input);
  if (!mounts) return std::unexpected(mounts.error());
  const Value& context = input.def.spec["securityContext"];
  out.args = std::move(*args);
  out.user = std::move(*user);
  out.mounts = std::move(*mounts);
  out.env = std::move(*env);
  const std::string& directory = input.def.spec["workingDir"].str();
  out.directory = !directory.empty() ? directory : input.image.config.directory;
  if (out.directory.empty()) out.directory = "/";
  out.privileged = context["privileged"].as_bool();
  // Stricter than upstream, where a container that does not ask may gain privileges through setuid programs.
  out.no_new_privileges = !context["allowPrivilegeEscalation"].as_bool(false);
  out.capabilities = effective_capabilities(strings(context["capabilities"]["add"]),
                                            strings(context["capabilities"]["drop"]));
  out.seccomp = uses_default_filter(input);
  out.read_only_root = context["readOnlyRootFilesystem"].as_bool();
  out.hide_proc = context["procMount"].str() != "Unmasked";
  out.host_network = input.pod["spec"]["hostNetwork"].as_bool();
  out.host_pid = input.pod["spec"]["hostPID"].as_bool();
  out.limits = make_limits(input.pod, input.def.spec, input.identity.node.memory_bytes);
  return out;
}

}  // namespace skiff::node
