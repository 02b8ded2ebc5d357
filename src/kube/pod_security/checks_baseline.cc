// What a pod of the level baseline may not do: everything by which a container becomes the machine.
#include <algorithm>

#include "base/strings.h"
#include "kube/pod_security/checks.h"

namespace skiff::kube {

namespace {

// What container runtimes give by default, without NET_RAW.
const std::set<std::string>& harmless_capabilities() {
  static const std::set<std::string> kNames = {
      "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",      "MKNOD",
      "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT"};
  return kNames;
}

struct SafeSysctl {
  std::string_view name;
  int since;  // v1.<since>
};
constexpr SafeSysctl kSafeSysctls[] = {
    {"kernel.shm_rmid_forced", 0},
    {"net.ipv4.ip_local_port_range", 0},
    {"net.ipv4.tcp_syncookies", 0},
    {"net.ipv4.ping_group_range", 0},
    {"net.ipv4.ip_unprivileged_port_start", 0},
    {"net.ipv4.ip_local_reserved_ports", 27},
    {"net.ipv4.tcp_keepalive_time", 29},
    {"net.ipv4.tcp_fin_timeout", 29},
    {"net.ipv4.tcp_keepalive_intvl", 29},
    {"net.ipv4.tcp_keepalive_probes", 29},
    {"net.ipv4.tcp_rmem", 32},
    {"net.ipv4.tcp_wmem", 32},
};

bool is_safe_sysctl(std::string_view name, int minor) {
  return std::ranges::any_of(
      kSafeSysctls, [&](const SafeSysctl& safe) { return safe.name == name && minor >= safe.since; });
}

}  // namespace

PodFinding check_capabilities(const PodView& pod) {
  std::vector<std::string> bad;
  std::set<std::string> added;
  pod.each_container([&](const json::Value& container) {
    bool valid = true;
    for (const auto& item : container["securityContext"]["capabilities"]["add"].items()) {
      if (harmless_capabilities().contains(item.str())) continue;
      valid = false;
      added.insert(item.str());
    }
    if (!valid) bad.push_back(container["name"].str());
  });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{
      "non-default capabilities",
      named_containers(bad) + " must not include " + quoted(added) + " in securityContext.capabilities.add"};
}

PodFinding check_host_namespaces(const PodView& pod) {
  std::vector<std::string> shared;
  for (const char* field : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (pod.spec[field].as_bool()) shared.push_back(std::string(field) + "=true");
  }
  if (shared.empty()) return std::nullopt;
  return PodVerdict::Finding{"host namespaces", join(shared, ", ")};
}

PodFinding check_host_path_volumes(const PodView& pod) {
  std::vector<std::string> bad;
  for (const auto& volume : pod.spec["volumes"].items()) {
    if (!volume["hostPath"].is_null()) bad.push_back(volume["name"].str());
  }
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{"hostPath volumes", count_word("volume ", "volumes ", bad.size()) + quoted(bad)};
}

PodFinding check_host_ports(const PodView& pod) {
  std::vector<std::string> bad;
  std::set<std::string> ports;
  pod.each_container([&](const json::Value& container) {
    bool valid = true;
    for (const auto& port : container["ports"].items()) {
      if (port["hostPort"].as_int() == 0) continue;
      valid = false;
      ports.insert(std::to_string(port["hostPort"].as_int()));
    }
    if (!valid) bad.push_back(container["name"].str());
  });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{"hostPort", named_containers(bad) + count_word(" uses ", " use ", bad.size()) +
                                             count_word("hostPort ", "hostPorts ", ports.size()) +
                                             join({ports.begin(), ports.end()}, ", ")};
}

PodFinding check_privileged(const PodView& pod) {
  std::vector<std::string> bad;
  pod.each_container([&](const json::Value& container) {
    if (container["securityContext"]["privileged"].as_bool()) bad.push_back(container["name"].str());
  });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{"privileged",
                             named_containers(bad) + " must not set securityContext.privileged=true"};
}

PodFinding check_proc_mount(const PodView& pod) {
  std::vector<std::string> bad;
  std::set<std::string> types;
  pod.each_container([&](const json::Value& container) {
    const json::Value& type = container["securityContext"]["procMount"];
    if (type.is_null() || type.str() == "Default") return;
    bad.push_back(container["name"].str());
    types.insert(type.str());
  });
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{
      "procMount", named_containers(bad) + " must not set securityContext.procMount to " + quoted(types)};
}

PodFinding check_sysctls(const PodView& pod) {
  std::vector<std::string> bad;
  for (const auto& sysctl : pod.spec["securityContext"]["sysctls"].items()) {
    if (!is_safe_sysctl(sysctl["name"].str(), pod.minor)) bad.push_back(sysctl["name"].str());
  }
  if (bad.empty()) return std::nullopt;
  return PodVerdict::Finding{"forbidden sysctls", join(bad, ", ")};
}

PodFinding check_windows_host_process(const PodView& pod) {
  const auto bad = find_offenders(
      pod, [](const json::Value& context) { return context["windowsOptions"]["hostProcess"].as_bool(); });
  if (bad.none()) return std::nullopt;
  return PodVerdict::Finding{
      "hostProcess", bad.to_string() + " must not set securityContext.windowsOptions.hostProcess=true"};
}

}  // namespace skiff::kube
