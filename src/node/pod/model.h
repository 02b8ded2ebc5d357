// What the node knows about a pod, and what it decides to do: the vocabulary of plan_pod().
//
// Facts are gathered by the worker (from runtime, probes, volumes) and by nobody else; the plan reads them
// only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

enum class Role {
  kInit,     // runs to its end, one after the other
  kSidecar,  // an init container with restartPolicy Always
  kApp,
};

struct ContainerDef {
  std::string name;
  Role role = Role::kApp;
  json::Value spec;
};
// Inits and sidecars in order, then apps.
std::vector<ContainerDef> list_containers(const json::Value& pod);

// One instant on both clocks. What happens when follows the steady one: the other is for telling, and may be
// set at any time.
struct Moment {
  MonotonicTime steady{};
  WallTime wall{};
};

// Why a container that should run does not.
struct Waiting {
  std::string reason, message;  // ErrImagePull, CreateContainerConfigError, …
  MonotonicTime retry_at{};
  // What is shown from then on, until the next try: ImagePullBackOff after ErrImagePull.
  std::string later_reason = {}, later_message = {};
  MonotonicTime later_at{};
};

enum class Work { kNone, kStarting, kStopping };

struct ContainerFacts {
  std::optional<ContainerRun> run;   // the latest attempt
  std::optional<ContainerRun> last;  // the attempt before it
  MonotonicTime began{}, ended{};    // of the latest attempt
  std::optional<Waiting> waiting;
  Work work = Work::kNone;
  int next_attempt = 0;
  int crashes = 0;        // restarts since the back-off was last reset
  bool hook_done = true;  // postStart has ended (or there is none)
  // Probe verdicts on the present attempt.
  bool startup_passed = true;  // or no startup probe
  bool ready = true;           // or no readiness probe
  bool condemned = false;      // a liveness or startup probe or a failed postStart hook wants it replaced
  std::string condemned_message;
  std::optional<int64_t> condemned_grace;  // seconds, of the probe that condemned it
  bool running() const { return run && run->state == RunState::kRunning; }
  bool exited() const { return run && run->state == RunState::kExited; }
};

enum class SandboxState { kNone, kSettingUp, kReady, kTearingDown, kGone };

struct PodFacts {
  SandboxState sandbox = SandboxState::kNone;
  MonotonicTime sandbox_retry_at{};
  int sandbox_number = 0;  // of the pod's present one: another after a reboot
  std::string ip;
  std::string host_ip;
  WallTime start_time{};               // when this node first saw the pod
  MonotonicTime started{};             // the same
  bool object_gone = false;            // deleted by force: nobody reads its status any more
  std::optional<std::string> evicted;  // message; the pod is Failed with reason Evicted
  std::map<std::string, ContainerFacts> containers;
};

struct Action {
  enum class Kind {
    kSetUpSandbox,  // volumes, namespaces, network
    kStart,         // the container's next attempt
    kStop,          // preStop, signal, wait, kill
    kTearDown,      // after every container has ended
    kFinish,        // the object may be deleted
  } kind;
  std::string container;
  Duration grace{};
  std::string why;  // message of the Killing event
  bool operator==(const Action&) const = default;
};

struct Plan {
  std::vector<Action> actions;
  json::Value status;
  std::optional<MonotonicTime> wake_at;  // plan again then, if nothing happens before
};

}  // namespace skiff::node
