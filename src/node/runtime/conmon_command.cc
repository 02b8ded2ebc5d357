#include "node/runtime/conmon_command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "io/reap.h"
#include "node/runtime/record.h"

namespace skiff::node {

namespace {

constexpr int kSyncDescriptor = 3;
constexpr auto kReapTime = std::chrono::milliseconds(50);  // it takes one or two
const std::vector<std::string>& plain_environment() {
  static const std::vector<std::string> kEnv = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  return kEnv;
}

// What a child of ours must not see: the v2 mount of a hybrid host.
std::vector<std::string> hidden_mounts(const ConmonOptions& options) {
  if (options.cgroups.unified_mount.empty()) return {};
  return {options.cgroups.unified_mount};
}

std::vector<std::string> conmon_arguments(const ConmonOptions& options, const ContainerSpec& spec,
                                          const std::string& bundle) {
  return {options.conmon,
          "--api-version",
          "1",
          "-c",
          spec.id,
          "-u",
          spec.id,
          "-n",
          spec.key.name,
          "-r",
          options.runtime,
          "-b",
          bundle,
          "-p",
          bundle + kPidFile,
          "-P",
          bundle + kConmonPidFile,
          "-l",
          "k8s-file:" + spec.log_path,
          "--persist-dir",
          bundle,
          "--exit-dir",
          bundle + "/exits",
          "--full-attach",
          "--no-sync-log",
          "--no-new-keyring",
          "--log-level",
          "error",
          "--runtime-arg",
          "--root",
          "--runtime-arg",
          options.paths.runtime_state()};
}

Result<void> write_bundle(const std::string& bundle, const ContainerSpec& spec, const std::string& record) {
  for (const char* name : {"/upper", "/work", "/rootfs", "/exits"}) {
    SKIFF_RETURN_IF_ERROR(io::make_directories(bundle + name));
  }
  for (const auto& mount : spec.sub_paths) {
    SKIFF_RETURN_IF_ERROR(mount.folder ? io::make_directories(mount.target) : write_quick(mount.target, ""));
  }
  // The writable layer's root is the container's "/": others must be able to enter it.
  if (::chmod((bundle + "/upper").c_str(), 0755) != 0) return fail_errno(errno, "chmod the container's root");
  SKIFF_RETURN_IF_ERROR(write_quick(bundle + kRecordFile, record));
  return write_quick(bundle + kConfigFile, json::encode(spec.oci_config));
}

}  // namespace

Result<std::vector<io::UniqueFd>> open_namespaces(const std::string& folder, bool host_network) {
  std::vector<io::UniqueFd> out;
  for (const char* name : {"net", "ipc", "uts"}) {
    if (host_network && std::string_view(name) == "net") continue;
    const std::string path = folder + "/" + name;
    out.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!out.back()) return fail_errno(errno, "open the pod's namespace " + path);
  }
  return out;
}

Result<pid_t> launch_conmon(const ConmonOptions& options, const ContainerSpec& spec,
                            const std::string& record, int sync_fd) {
  const std::string bundle = options.paths.bundle(spec.key.pod_uid, spec.key.name, spec.key.attempt);
  SKIFF_RETURN_IF_ERROR(write_bundle(bundle, spec, record));
  SKIFF_RETURN_IF_ERROR(io::make_directories(options.paths.runtime_state()));
  Overlay overlay{options.paths.layers(), spec.layers, bundle + "/upper", bundle + "/work",
                  bundle + "/rootfs"};
  LaunchOptions launch_options;
  launch_options.argv = conmon_arguments(options, spec, bundle);
  launch_options.env = plain_environment();
  launch_options.env.push_back("_OCI_SYNCPIPE=" + std::to_string(kSyncDescriptor));
  launch_options.pass = {{sync_fd, kSyncDescriptor}};
  launch_options.overlay = &overlay;
  launch_options.detach = hidden_mounts(options);
  launch_options.detach.push_back(options.paths.mounts());
  launch_options.keep_mounts = spec.memory_volumes;
  launch_options.sub_paths = spec.sub_paths;
  std::vector<io::UniqueFd> namespaces;
  if (!spec.sandbox.empty()) {
    auto opened = open_namespaces(spec.sandbox, spec.host_network);
    if (!opened) return std::unexpected(opened.error());
    namespaces = std::move(*opened);
  }
  for (const auto& fd : namespaces) launch_options.join.push_back(fd.get());
  // What goes wrong before conmon runs is said on stderr: it goes where conmon's answer is expected.
  launch_options.stderr_fd = sync_fd;
  return launch(launch_options);
}

Result<ChildGuard> launch_runtime(const ConmonOptions& options, const std::vector<std::string>& arguments,
                                  int output_fd) {
  LaunchOptions launch_options;
  launch_options.argv = {options.runtime, "--root", options.paths.runtime_state()};
  launch_options.argv.insert(launch_options.argv.end(), arguments.begin(), arguments.end());
  launch_options.env = plain_environment();
  launch_options.detach = hidden_mounts(options);
  launch_options.stdout_fd = output_fd;
  launch_options.stderr_fd = output_fd;
  auto pid = launch(launch_options);
  if (!pid) return std::unexpected(pid.error());
  return ChildGuard(*pid, ChildGuard::Kill::kTree);
}

bool has_create_answer(std::string_view text) {
  const size_t begin = text.starts_with('{') ? 0 : text.find("\n{");
  return begin != std::string_view::npos && text.find('\n', begin + 1) != std::string_view::npos;
}

Result<pid_t> parse_create_answer(const std::string& answer) {
  for (const auto& line : split(answer, '\n')) {
    if (!line.starts_with('{')) continue;
    auto value = json::parse(line);
    if (!value) continue;
    const int64_t pid = (*value)["data"].as_int(-1);
    if (pid > 0) return static_cast<pid_t>(pid);
    const std::string message(trim((*value)["message"].str()));
    return fail(Code::kInvalidArgument, message.empty() ? "the container runtime gave no reason" : message);
  }
  return fail(Code::kUnavailable,
              answer.empty() ? "conmon ended without an answer" : std::string(trim(answer)));
}

Result<void> write_exec_spec(const std::string& config_file, const std::string& spec_file,
                             const std::vector<std::string>& argv) {
  auto text = io::read_file(config_file);
  if (!text) return std::unexpected(text.error());
  auto config = json::parse(*text);
  if (!config) return std::unexpected(config.error());
  json::Value process = (*config)["process"];
  json::Value args = json::Value::array();
  for (const auto& arg : argv) args.push_back(arg);
  process.set("args", args);
  return write_quick(spec_file, json::encode(process));
}

Result<void> remove_writable_layer(const std::string& bundle) {
  for (const char* name : {"/upper", "/work", "/rootfs"})
    SKIFF_RETURN_IF_ERROR(io::remove_tree(bundle + name));
  return {};
}

ChildGuard::~ChildGuard() {
  if (pid_ <= 0) return;
  auto end = [pid = pid_, kill = kill_] {
    // A container does not end before each of its processes is reaped: better by the runtime now than by the
    // machine's first process some time.
    const bool gone = kill == Kill::kTree && kill_descendants(pid) && ends_within(pid, kReapTime);
    if (!gone) ::kill(pid, SIGKILL);
  };
  if (loop_ != nullptr) {
    loop_->submit_blocking(end, [loop = loop_, pid = pid_] { io::reap_later(*loop, pid); });
  } else {
    end();
    ::waitpid(pid_, nullptr, 0);
  }
}

}  // namespace skiff::node
