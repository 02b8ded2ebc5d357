// Profiles of the kernel's security modules, at baseline: which may be chosen, and that none is switched off.
#include <algorithm>

#include "base/strings.h"
#include "kube/pod_security/checks.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kAppArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kSeccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompAnnotation = "container.seccomp.security.alpha.kubernetes.io/";
constexpr int kSeccompFields = 19;  // before, there were annotations only
constexpr int kContainerEngineType = 31;

bool is_confined(const std::string& type) {
  return type == "RuntimeDefault" || type == "Localhost";
}

// Who sets `field` to a profile of another type, and the types.
Offenders find_profiles(const PodView& pod, const char* field, std::set<std::string>& types) {
  return find_offenders(pod, [&types, field](const json::Value& context) {
    const json::Value& profile = context[field];
    if (profile.is_null() || is_confined(profile["type"].str())) return false;
    types.insert(profile["type"].str());
    return true;
  });
}

PodFinding check_seccomp_annotations(const PodView& pod) {
  std::set<std::string> bad;
  const auto look = [&](const std::string& name) {
    const json::Value* value = pod.annotations.find(name);
    if (!value || value->str() == "runtime/default" || value->str() == "docker/default" ||
        value->str().starts_with("localhost/"))
      return;
    bad.insert(name + "=" + json::encode(*value));
  };
  look(std::string(kSeccompPodAnnotation));
  pod.each_container(
      [&](const json::Value& container) { look(std::string(kSeccompAnnotation) + container["name"].str()); });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{"seccompProfile",
                             count_word("forbidden annotation ", "forbidden annotations ", bad.size()) +
                                 join({bad.begin(), bad.end()}, ", ")};
}

// What SELinux options are set to that they may not be.
struct SeLinuxFaults {
  std::set<std::string> types;
  bool user = false, role = false;
  std::string to_string() const {
    std::vector<std::string> out;
    if (!types.empty()) out.push_back(count_word("type ", "types ", types.size()) + quoted(types));
    if (user) out.emplace_back("user may not be set");
    if (role) out.emplace_back("role may not be set");
    return join(out, "; ");
  }
};

bool is_allowed_se_linux_type(const std::string& type, int minor) {
  static constexpr std::string_view kTypes[] = {"", "container_t", "container_init_t", "container_kvm_t"};
  return std::ranges::find(kTypes, std::string_view(type)) != std::end(kTypes) ||
         (minor >= kContainerEngineType && type == "container_engine_t");
}

}  // namespace

PodFinding check_app_armor(const PodView& pod) {
  std::set<std::string> types;
  const Offenders bad = find_profiles(pod, "appArmorProfile", types);
  std::set<std::string> annotations;
  for (const auto& [name, value] : pod.annotations.members()) {
    const std::string& profile = value.str();
    if (!name.starts_with(kAppArmorAnnotation) || profile.empty() || profile == "runtime/default" ||
        profile.starts_with("localhost/"))
      continue;
    annotations.insert(name + "=" + json::encode(value));
  }
  if (bad.none() && annotations.empty()) return std::nullopt;
  std::vector<std::string> who, values(types.begin(), types.end());
  if (!bad.none()) who.push_back(bad.to_string());
  if (!annotations.empty()) who.push_back(count_word("annotation", "annotations", annotations.size()));
  values.insert(values.end(), annotations.begin(), annotations.end());
  return PodVerdict::Finding{
      count_word("forbidden AppArmor profile", "forbidden AppArmor profiles", values.size()),
      join(who, " and ") + " must not set AppArmor profile type to " + quoted(values)};
}

PodFinding check_seccomp(const PodView& pod) {
  if (pod.minor < kSeccompFields) return check_seccomp_annotations(pod);
  std::set<std::string> types;
  const Offenders bad = find_profiles(pod, "seccompProfile", types);
  if (bad.none()) return std::nullopt;
  return PodVerdict::Finding{
      "seccompProfile",
      bad.to_string() + " must not set securityContext.seccompProfile.type to " + quoted(types)};
}

PodFinding check_set_seccomp(const PodView& pod) {
  if (pod.exempt_as_windows()) return std::nullopt;
  if (PodFinding bad = check_seccomp(pod)) return bad;
  if (!pod.spec["securityContext"]["seccompProfile"].is_null()) return std::nullopt;
  std::vector<std::string> unset;
  pod.each_container([&](const json::Value& container) {
    if (container["securityContext"]["seccompProfile"].is_null()) unset.push_back(container["name"].str());
  });
  if (unset.empty()) return std::nullopt;
  return PodVerdict::Finding{
      "seccompProfile",
      "pod or " + named_containers(unset) +
          R"( must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"};
}

PodFinding check_se_linux(const PodView& pod) {
  SeLinuxFaults faults;
  const Offenders bad = find_offenders(pod, [&](const json::Value& context) {
    const json::Value& options = context["seLinuxOptions"];
    const bool type = !is_allowed_se_linux_type(options["type"].str(), pod.minor);
    const bool user = !options["user"].str().empty(), role = !options["role"].str().empty();
    if (type) faults.types.insert(options["type"].str());
    faults.user |= user;
    faults.role |= role;
    return type || user || role;
  });
  if (bad.none()) return std::nullopt;
  return PodVerdict::Finding{
      "seLinuxOptions",
      bad.to_string() + " set forbidden securityContext.seLinuxOptions: " + faults.to_string()};
}

}  // namespace skiff::kube
