#include "node/agent/node_status.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/strings.h"
#include "io/file.h"
#include "node/agent/disk_pressure.h"
#include "node/pod/phase.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int64_t kMemoryPressureBytes = 100 << 20;  // upstream's hard eviction threshold
constexpr size_t kMaxImages = 50;                    // upstream's bound of images in a node's status

std::string quoted_value(const std::string& text, std::string_view key) {
  for (const auto& line : split(text, '\n')) {
    if (!line.starts_with(std::string(key) + "=")) continue;
    return replace_all(line.substr(key.size() + 1), "\"", "");
  }
  return "";
}

int64_t memory_field(const std::string& meminfo, std::string_view key) {
  for (const auto& line : split(meminfo, '\n')) {
    if (!line.starts_with(key)) continue;
    const auto words = split(trim(line.substr(key.size() + 1)), ' ');
    return parse_int(words[0]).value_or(0) << 10;
  }
  return 0;
}

Value condition(const Value& old, const char* type, bool holds, const char* reason, const char* message,
                WallTime now) {
  const char* status = holds ? "True" : "False";
  const Value& before = find_named(old["conditions"], type, "type");
  const bool same = before["status"].str() == status;
  return Value::object(
      {{"type", type},
       {"status", status},
       {"lastHeartbeatTime", format_rfc3339(now)},
       {"lastTransitionTime", same ? before["lastTransitionTime"] : Value(format_rfc3339(now))},
       {"reason", reason},
       {"message", message}});
}

Value capacity(const MachineFacts& machine) {
  return Value::object({{"cpu", std::to_string(machine.cpu_milli / 1000)},
                        {"memory", std::to_string(machine.memory_bytes >> 10) + "Ki"},
                        {"ephemeral-storage", std::to_string(machine.disk_bytes >> 10) + "Ki"},
                        {"pods", std::to_string(count_pods(machine.memory_bytes))}});
}

}  // namespace

int64_t count_pods(int64_t memory_bytes) {
  return std::clamp(memory_bytes / kBytesForEachPod, kLeastPods, kMostPods);
}

MachineFacts read_machine(const std::string& data) {
  MachineFacts out;
  out.cpu_milli = static_cast<int64_t>(::sysconf(_SC_NPROCESSORS_ONLN)) * 1000;
  const std::string meminfo = io::read_file("/proc/meminfo").value_or("");
  out.memory_bytes = memory_field(meminfo, "MemTotal");
  out.available_memory_bytes = memory_field(meminfo, "MemAvailable");
  const DiskSpace disk = read_disk(data);
  out.disk_bytes = disk.total;
  out.available_disk_bytes = disk.available;
  struct utsname names{};
  ::uname(&names);
  out.kernel = names.release;
  out.hostname = names.nodename;
  out.architecture = std::string(names.machine) == "x86_64" ? "amd64" : "arm64";
  out.machine_id = trim(io::read_file("/etc/machine-id").value_or(""));
  out.boot_id = trim(io::read_file("/proc/sys/kernel/random/boot_id").value_or(""));
  out.os_image = quoted_value(io::read_file("/etc/os-release").value_or(""), "PRETTY_NAME");
  return out;
}

Value make_node(const NodeStatusInput& input, WallTime now) {
  const Value labels = Value::object({{"kubernetes.io/hostname", input.name},
                                      {"kubernetes.io/os", "linux"},
                                      {"kubernetes.io/arch", input.machine.architecture},
                                      {"beta.kubernetes.io/os", "linux"},
                                      {"beta.kubernetes.io/arch", input.machine.architecture}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Node"},
                        {"metadata", Value::object({{"name", input.name}, {"labels", labels}})},
                        {"spec", Value::object({{"podCIDR", input.pods.to_string()},
                                                {"podCIDRs", Value::array({input.pods.to_string()})}})},
                        {"status", make_node_status(input, {}, now)}});
}

Value make_node_status(const NodeStatusInput& input, const Value& old, WallTime now) {
  const MachineFacts& machine = input.machine;
  const bool memory = machine.available_memory_bytes < kMemoryPressureBytes;
  const bool disk = input.disk_pressure;
  Value images = Value::array();
  for (const auto& image : input.images) {
    if (images.size() == kMaxImages) break;
    images.push_back(Value::object({{"names", Value::array({image.name})}, {"sizeBytes", image.bytes}}));
  }
  return Value::object(
      {{"capacity", capacity(machine)},
       {"allocatable", capacity(machine)},
       {"conditions",
        Value::array(
            {condition(old, "MemoryPressure", memory,
                       memory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
                       memory ? "kubelet has insufficient memory available"
                              : "kubelet has sufficient memory available",
                       now),
             condition(old, "DiskPressure", disk,
                       disk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
                       disk ? "kubelet has disk pressure" : "kubelet has no disk pressure", now),
             condition(old, "PIDPressure", false, "KubeletHasSufficientPID",
                       "kubelet has sufficient PID available", now),
             condition(old, "Ready", true, "KubeletReady", "kubelet is posting ready status", now)})},
       {"addresses", Value::array({Value::object({{"type", "InternalIP"}, {"address", input.address}}),
                                   Value::object({{"type", "Hostname"}, {"address", input.name}})})},
       {"daemonEndpoints",
        Value::object({{"kubeletEndpoint", Value::object({{"Port", int64_t{input.agent_port}}})}})},
       {"nodeInfo", Value::object({{"machineID", machine.machine_id},
                                   {"systemUUID", machine.machine_id},
                                   {"bootID", machine.boot_id},
                                   {"kernelVersion", machine.kernel},
                                   {"osImage", machine.os_image},
                                   {"containerRuntimeVersion", input.runtime_version},
                                   {"kubeletVersion", "v1.32.0+skiff"},
                                   {"kubeProxyVersion", "v1.32.0+skiff"},
                                   {"operatingSystem", "linux"},
                                   {"architecture", machine.architecture}})},
       {"images", images}});
}

}  // namespace skiff::node
