#include "node/runtime/oci_config.h"

#include "node/runtime/seccomp.h"

namespace skiff::node {

namespace {

using json::Value;

Value strings(const std::vector<std::string>& items) {
  Value out = Value::array();
  for (const auto& item : items) out.push_back(item);
  return out;
}

Value mount(const char* destination, const char* type, const char* source,
            std::initializer_list<Value> options) {
  return Value::object(
      {{"destination", destination}, {"type", type}, {"source", source}, {"options", Value::array(options)}});
}

Value make_mounts(const ContainerConfig& config) {
  const char* access = config.privileged ? "rw" : "ro";
  Value out = Value::array({
      mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm",
            {"nosuid", "noexec", "nodev", "mode=1777", "size=" + std::to_string(config.shm_bytes)}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", access}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", access}),
  });
  for (const auto& bind : config.mounts) {
    const bool from_host = bind.propagation == Mount::Propagation::kFromHost;
    const char* mode = bind.access == Mount::Access::kReadOnly ? "ro" : "rw";
    Value entry = mount(bind.destination.c_str(), "bind", bind.source.c_str(),
                        {"rbind", from_host ? "rslave" : "rprivate", mode});
    for (const auto& flag : bind.flags) entry.edit("options").push_back(flag);
    out.push_back(std::move(entry));
  }
  return out;
}

Value make_process(const ContainerConfig& config) {
  Value user = Value::object({{"uid", int64_t{config.user.uid}}, {"gid", int64_t{config.user.gid}}});
  for (const uint32_t group : config.user.groups) user.edit("additionalGids").push_back(int64_t{group});
  const bool root = config.user.uid == 0;
  const auto& granted = config.privileged ? all_capabilities() : config.capabilities;
  const Value names = strings(granted);
  // Other users get the bounding set only: a program gains a capability through its file, if at all.
  const Value held = root ? names : Value::array();
  return Value::object(
      {{"terminal", false},
       {"user", user},
       {"args", strings(config.args)},
       {"env", strings(config.env)},
       {"cwd", config.directory},
       {"capabilities", Value::object({{"bounding", names}, {"effective", held}, {"permitted", held}})},
       {"noNewPrivileges", config.no_new_privileges && !config.privileged},
       {"oomScoreAdj", config.limits.oom_score_adj}});
}

Value device(bool allow, const char* type, int64_t major, std::optional<int64_t> minor, const char* access) {
  Value out = Value::object({{"allow", allow}, {"type", type}, {"major", major}, {"access", access}});
  if (minor) out.set("minor", *minor);
  return out;
}

Value make_devices(bool privileged) {
  if (privileged) return Value::array({Value::object({{"allow", true}, {"access", "rwm"}})});
  return Value::array({
      Value::object({{"allow", false}, {"access", "rwm"}}),
      device(true, "c", 1, 3, "rwm"),  // null
      device(true, "c", 1, 5, "rwm"),  // zero
      device(true, "c", 1, 7, "rwm"),  // full
      device(true, "c", 1, 8, "rwm"),  // random
      device(true, "c", 1, 9, "rwm"),  // urandom
      device(true, "c", 5, 0, "rwm"),  // tty
      device(true, "c", 5, 2, "rwm"),  // ptmx
      device(true, "c", 136, std::nullopt, "rwm"),
  });
}

Value make_resources(const ContainerConfig& config) {
  const Limits& limits = config.limits;
  Value cpu = Value::object({{"shares", limits.cpu_shares}});
  if (limits.cpu_quota_us) {
    cpu.set("quota", *limits.cpu_quota_us);
    cpu.set("period", kCpuPeriodUs);
  }
  Value out = Value::object({{"devices", make_devices(config.privileged)},
                             {"cpu", cpu},
                             {"pids", Value::object({{"limit", limits.pids}})}});
  if (limits.memory_bytes) out.set("memory", Value::object({{"limit", *limits.memory_bytes}}));
  return out;
}

// Network, ipc and uts are joined before the runtime starts: it keeps what it finds.
Value make_namespaces(const ContainerConfig& config) {
  Value out = Value::array({Value::object({{"type", "mount"}}), Value::object({{"type", "cgroup"}})});
  if (!config.host_pid) out.push_back(Value::object({{"type", "pid"}}));
  return out;
}

Value make_linux(const ContainerConfig& config) {
  Value out = Value::object({{"namespaces", make_namespaces(config)},
                             {"cgroupsPath", config.cgroup_path},
                             {"resources", make_resources(config)}});
  if (!config.privileged && config.seccomp) out.set("seccomp", make_seccomp_profile(config.capabilities));
  if (!config.privileged && config.hide_proc) {
    out.set("maskedPaths",
            Value::array({"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                          "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                          "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}));
    out.set("readonlyPaths",
            Value::array({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}));
  }
  return out;
}

}  // namespace

Value make_oci_config(const ContainerConfig& config) {
  return Value::object({{"ociVersion", "1.0.2"},
                        {"process", make_process(config)},
                        {"root", Value::object({{"path", "rootfs"}, {"readonly", config.read_only_root}})},
                        {"mounts", make_mounts(config)},
                        {"linux", make_linux(config)}});
}

}  // namespace skiff::node
