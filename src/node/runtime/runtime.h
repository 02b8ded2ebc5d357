// What the pod worker asks of a container runtime. ConmonRuntime is the real one, FakeRuntime the simulated
// one.
//
// A container is named by its id, which the caller derives from pod, name and attempt: creating it twice
// fails. Everything a restarted agent needs is on disk, so list() gives the same answer before and after a
// kill -9. All members belong to the loop's thread. Exits are reported through the callback, once each, in
// any order.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "io/task.h"
#include "node/runtime/launch.h"

namespace skiff::node {

// Which attempt of which container of which pod.
struct ContainerKey {
  std::string pod_uid;
  std::string name;
  int attempt = 0;
  auto operator<=>(const ContainerKey&) const = default;
};

enum class RunState {
  kCreated,  // set up, its program not yet started
  kRunning,
  kExited,
};

// One attempt at a container, as the runtime knows it.
struct ContainerRun {
  ContainerKey key;
  std::string id;
  RunState state = RunState::kCreated;
  std::string image;  // as the pod names it
  std::string image_id;
  WallTime created{}, started{}, finished{};
  int exit_code = 0;
  int signal = 0;
  std::string reason;       // of the end: Completed, Error, OOMKilled, StartError, ContainerStatusUnknown
  std::string message;      // of the end
  std::string stop_signal;  // of the image, "" is SIGTERM
  int sandbox_number = 0;   // of the pod's sandboxes, the one it belongs to
  pid_t pid = 0;            // of process 1, while it runs
};

struct ContainerSpec {
  ContainerKey key;
  std::string id;
  std::string image, image_id;
  json::Value oci_config;           // root.path is "rootfs"
  std::vector<std::string> layers;  // topmost first, relative to the store's layers
  std::string sandbox;              // folder with the pod's namespaces; "" for those of the host
  int sandbox_number = 0;
  bool host_network = false;
  std::string log_path;                     // absolute
  std::vector<std::string> memory_volumes;  // mounts of this pod that the container must see
  std::vector<SubPathMount> sub_paths;      // their targets, in the bundle, are sources in oci_config
  std::string stop_signal;                  // name or number, "" is SIGTERM
};

struct ExecResult {
  int exit_code = 0;
  std::string output;  // at most the limit asked for, both streams
};

using ExitCallback = std::function<void(const ContainerKey&)>;

class Runtime {
 public:
  virtual ~Runtime() = default;
  // Sets the container up and starts its program. kInvalidArgument: its program can't run (StartError).
  virtual io::Task<Result<ContainerRun>> start(ContainerSpec spec) = 0;
  // To process 1. No effect when it has ended.
  virtual Result<void> signal(const ContainerKey& key, int number) = 0;
  // Deletes what is left of an ended container but its logs; kills it first when it runs.
  virtual io::Task<Result<void>> remove(ContainerKey key) = 0;
  // Frees the writable layer and the runtime's state of an ended container; its record and exit code stay.
  virtual io::Task<Result<void>> release(ContainerKey key) = 0;
  // Runs a command inside; kTimeout after `limit`, when the command is killed.
  virtual io::Task<Result<ExecResult>> exec(ContainerKey key, std::vector<std::string> argv,
                                            Duration limit) = 0;
  virtual std::optional<ContainerRun> find(const ContainerKey& key) const = 0;
  // All attempts of a pod that are still recorded, oldest first.
  virtual std::vector<ContainerRun> list(const std::string& pod_uid) const = 0;
  virtual void on_exit(ExitCallback callback) = 0;
  // Asks the log writer to open its file again, after a rotation.
  virtual Result<void> reopen_log(const ContainerKey& key) = 0;
};

// The id of a container: stable for the key, 64 hexadecimal digits.
std::string container_id(const ContainerKey& key);

}  // namespace skiff::node
