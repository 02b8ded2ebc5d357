// What a pod needs from the machine besides its containers: volumes, namespaces, network, files. An
// interface, so that the worker runs in a simulation.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "io/task.h"
#include "node/images/image_service.h"
#include "node/pod/model.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

// A pod's set-up ground.
struct PodGround {
  std::string ip;       // the node's with hostNetwork
  std::string sandbox;  // folder of the namespaces
  int sandbox_number = 0;
  std::optional<MonotonicTime>
      started;  // when this node first set it up, if that was since the machine's start
  std::map<std::string, std::string> volumes;
  std::vector<std::string> memory_volumes;
};

// What becomes of data that ended containers have written and the kernel has still to send.
enum class Unsent { kKeep, kDrop };

class PodHost {
 public:
  virtual ~PodHost() = default;
  // Volumes, namespaces, network, files; idempotent, so that it also adopts after a restart. A kNotFound or
  // kInvalidArgument error is a volume's (FailedMount), any other the sandbox's (FailedCreatePodSandBox).
  virtual io::Task<Result<PodGround>> set_up(json::Value pod) = 0;
  // True when the pod's namespaces live: adoption needs no set-up of them.
  virtual bool alive(const json::Value& pod) = 0;
  // Writes changed ConfigMaps, Secrets and tokens again.
  virtual io::Task<void> refresh(json::Value pod) = 0;
  // Network and mounts; logs and records stay. With Unsent::kKeep nothing happens, and the error is
  // kUnavailable, while clients have not taken all that the ended containers wrote to TCP connections: it
  // goes with the network.
  virtual io::Task<Result<void>> tear_down(json::Value pod, Unsent unsent) = 0;
  // All that is left, logs included.
  virtual io::Task<Result<void>> remove(json::Value pod) = 0;
  // The container's description. An error is the message of CreateContainerConfigError.
  virtual io::Task<Result<ContainerSpec>> make_spec(json::Value pod, ContainerDef def, int attempt,
                                                    Image image, PodGround ground) = 0;
  // What an ended container left to say: its termination message file, or the end of its log.
  virtual std::string termination_message(const json::Value& pod, const ContainerDef& def,
                                          const ContainerRun& run) = 0;
  // Removes logs and termination messages of a container's attempts before this one.
  virtual io::Task<void> remove_output(json::Value pod, std::string container, int before) = 0;
  // The .dockerconfigjson of the pod's imagePullSecrets, "" when none.
  virtual io::Task<std::string> pull_credentials(json::Value pod) = 0;
};

}  // namespace skiff::node
