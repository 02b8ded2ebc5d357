// What a pod of the level restricted must say besides: that it needs no right of its own.
#include <algorithm>

#include "base/strings.h"
#include "kube/pod_security/checks.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kAllowedVolumes[] = {"configMap", "csi",       "downwardAPI",
                                                "emptyDir",  "ephemeral", "persistentVolumeClaim",
                                                "projected", "secret"};
constexpr const char* kOtherVolumes[] = {"hostPath",
                                         "gcePersistentDisk",
                                         "awsElasticBlockStore",
                                         "gitRepo",
                                         "nfs",
                                         "iscsi",
                                         "glusterfs",
                                         "rbd",
                                         "flexVolume",
                                         "cinder",
                                         "cephfs",
                                         "flocker",
                                         "fc",
                                         "azureFile",
                                         "vsphereVolume",
                                         "quobyte",
                                         "azureDisk",
                                         "photonPersistentDisk",
                                         "portworxVolume",
                                         "scaleIO",
                                         "storageos"};

bool is_allowed_volume(const json::Value& volume) {
  return std::ranges::any_of(kAllowedVolumes, [&](std::string_view type) { return !volume[type].is_null(); });
}

std::string volume_type(const json::Value& volume) {
  for (const char* type : kOtherVolumes) {
    if (!volume[type].is_null()) return type;
  }
  return "unknown";
}

bool drops_all(const json::Value& capabilities) {
  return std::ranges::any_of(capabilities["drop"].items(),
                             [](const json::Value& item) { return item.str() == "ALL"; });
}

}  // namespace

PodFinding check_privilege_escalation(const PodView& pod) {
  if (pod.exempt_as_windows()) return std::nullopt;
  std::vector<std::string> bad;
  pod.each_container([&](const json::Value& container) {
    if (container["securityContext"]["allowPrivilegeEscalation"].as_bool(true))
      bad.push_back(container["name"].str());
  });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{
      "allowPrivilegeEscalation != false",
      named_containers(bad) + " must set securityContext.allowPrivilegeEscalation=false"};
}

PodFinding check_dropped_capabilities(const PodView& pod) {
  if (pod.exempt_as_windows()) return std::nullopt;
  std::vector<std::string> keeping, adding;
  std::set<std::string> added;
  pod.each_container([&](const json::Value& container) {
    const json::Value& capabilities = container["securityContext"]["capabilities"];
    if (!drops_all(capabilities)) keeping.push_back(container["name"].str());
    bool adds = false;
    for (const auto& item : capabilities["add"].items()) {
      if (item.str() == "NET_BIND_SERVICE") continue;
      adds = true;
      added.insert(item.str());
    }
    if (adds) adding.push_back(container["name"].str());
  });
  std::vector<std::string> details;
  if (!keeping.empty())
    details.push_back(named_containers(keeping) + R"( must set securityContext.capabilities.drop=["ALL"])");
  if (!adding.empty()) {
    details.push_back(named_containers(adding) + " must not include " + quoted(added) +
                      " in securityContext.capabilities.add");
  }
  if (details.empty()) return std::nullopt;
  return PodVerdict::Finding{"unrestricted capabilities", join(details, "; ")};
}

PodFinding check_volume_types(const PodView& pod) {
  std::vector<std::string> bad;
  std::set<std::string> types;
  for (const auto& volume : pod.spec["volumes"].items()) {
    if (is_allowed_volume(volume)) continue;
    bad.push_back(volume["name"].str());
    types.insert(volume_type(volume));
  }
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{
      "restricted volume types",
      count_word("volume ", "volumes ", bad.size()) + quoted(bad) +
          count_word(" uses ", " use ", bad.size()) +
          count_word("restricted volume type ", "restricted volume types ", types.size()) + quoted(types)};
}

PodFinding check_run_as_non_root(const PodView& pod) {
  const Offenders bad =
      find_offenders(pod, [](const json::Value& context) { return !context["runAsNonRoot"].as_bool(true); });
  if (!bad.none()) {
    return PodVerdict::Finding{"runAsNonRoot != true",
                               bad.to_string() + " must not set securityContext.runAsNonRoot=false"};
  }
  if (pod.spec["securityContext"]["runAsNonRoot"].as_bool()) return std::nullopt;
  std::vector<std::string> unset;
  pod.each_container([&](const json::Value& container) {
    if (container["securityContext"]["runAsNonRoot"].is_null()) unset.push_back(container["name"].str());
  });
  if (unset.empty()) return std::nullopt;
  return PodVerdict::Finding{"runAsNonRoot != true", "pod or " + named_containers(unset) +
                                                         " must set securityContext.runAsNonRoot=true"};
}

PodFinding check_run_as_user(const PodView& pod) {
  const Offenders bad =
      find_offenders(pod, [](const json::Value& context) { return context["runAsUser"].as_int(-1) == 0; });
  if (bad.none()) return std::nullopt;
  return PodVerdict::Finding{"runAsUser=0", bad.to_string() + " must not set runAsUser=0"};
}

}  // namespace skiff::kube
