#include "node/runtime/seccomp.h"

#include <algorithm>
#include <cerrno>

namespace skiff::node {

namespace {

struct Group {
  const char* capability;  // that opens the group; "" never
  std::vector<const char*> calls;
};

const std::vector<Group>& refused_groups() {
  static const std::vector<Group> kGroups = {
      {"", {"_sysctl",           "add_key",         "create_module",
            "get_kernel_syms",   "get_mempolicy",   "keyctl",
            "move_pages",        "nfsservctl",      "query_module",
            "request_key",       "sysfs",           "uselib",
            "userfaultfd",       "ustat",           "vm86",
            "vm86old",           "io_uring_setup",  "io_uring_enter",
            "io_uring_register", "kexec_file_load", "kexec_load"}},
      {"CAP_SYS_ADMIN", {"bpf",           "fanotify_init",   "fsconfig",   "fsmount",       "fsopen",
                         "fspick",        "lookup_dcookie",  "mount",      "mount_setattr", "move_mount",
                         "open_tree",     "perf_event_open", "pivot_root", "quotactl",      "quotactl_fd",
                         "setdomainname", "sethostname",     "setns",      "swapon",        "swapoff",
                         "umount",        "umount2",         "unshare"}},
      {"CAP_SYS_MODULE", {"delete_module", "finit_module", "init_module"}},
      {"CAP_SYS_BOOT", {"reboot"}},
      {"CAP_SYS_CHROOT", {"chroot"}},
      {"CAP_SYS_PACCT", {"acct"}},
      {"CAP_SYS_RAWIO", {"ioperm", "iopl"}},
      {"CAP_SYS_TIME", {"clock_adjtime", "clock_settime", "settimeofday", "stime", "adjtimex"}},
      {"CAP_SYS_TTY_CONFIG", {"vhangup"}},
      {"CAP_SYS_NICE", {"mbind", "migrate_pages", "set_mempolicy", "set_mempolicy_home_node"}},
      {"CAP_DAC_READ_SEARCH", {"open_by_handle_at"}},
      {"CAP_SYSLOG", {"syslog"}},
      {"CAP_SYS_PTRACE", {"kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev"}},
  };
  return kGroups;
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

json::Value refuse(const std::vector<const char*>& calls, int error) {
  json::Value names = json::Value::array();
  for (const char* call : calls) names.push_back(call);
  return json::Value::object({{"names", names}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", error}});
}

// clone() with any flag that makes a namespace.
json::Value refuse_namespace_flag(uint64_t flag) {
  auto argument =
      json::Value::object({{"index", 0}, {"value", flag}, {"valueTwo", flag}, {"op", "SCMP_CMP_MASKED_EQ"}});
  return json::Value::object({{"names", json::Value::array({"clone"})},
                              {"action", "SCMP_ACT_ERRNO"},
                              {"errnoRet", EPERM},
                              {"args", json::Value::array({argument})}});
}

// CLONE_NEWTIME is no flag of clone(): its bit is part of the exit signal there.
constexpr uint64_t kNamespaceFlags[] = {0x00020000, 0x02000000, 0x04000000, 0x08000000,
                                        0x10000000, 0x20000000, 0x40000000};

// Address families with a long record of kernel bugs and no use in an app.
json::Value refuse_socket_family(int family) {
  auto argument = json::Value::object({{"index", 0}, {"value", family}, {"op", "SCMP_CMP_EQ"}});
  return json::Value::object({{"names", json::Value::array({"socket"})},
                              {"action", "SCMP_ACT_ERRNO"},
                              {"errnoRet", EAFNOSUPPORT},
                              {"args", json::Value::array({argument})}});
}
constexpr int kAfAlg = 38, kAfVsock = 40;

json::Value native_architectures() {
#if defined(__x86_64__)
  return json::Value::array({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"});
#else
  return json::Value::array({"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"});
#endif
}

}  // namespace

json::Value make_seccomp_profile(const std::vector<std::string>& capabilities) {
  json::Value rules = json::Value::array();
  for (const auto& group : refused_groups()) {
    if (!has(capabilities, group.capability)) rules.push_back(refuse(group.calls, EPERM));
  }
  if (!has(capabilities, "CAP_SYS_ADMIN")) {
    rules.push_back(refuse({"clone3"}, ENOSYS));
    for (const uint64_t flag : kNamespaceFlags) rules.push_back(refuse_namespace_flag(flag));
  }
  rules.push_back(refuse_socket_family(kAfAlg));
  rules.push_back(refuse_socket_family(kAfVsock));
  return json::Value::object(
      {{"defaultAction", "SCMP_ACT_ALLOW"}, {"architectures", native_architectures()}, {"syscalls", rules}});
}

}  // namespace skiff::node
