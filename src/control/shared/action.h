// What a decider wants done, as data: printable, comparable in tests, applied by the runner in order.
//
// A plan stops at its first failed action; the key is then retried. Updates of one object within one plan
// follow each other: the runner carries the resourceVersion of the earlier write to the later one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/shared/objects.h"
#include "kube/client/client.h"

namespace skiff::control {

struct Action {
  enum class Verb {
    kCreate,   // POST body to path
    kUpdate,   // PUT body to path
    kPatch,    // PATCH body to path
    kDelete,   // DELETE path with body as options; an absent object is no error
    kConfirm,  // GET path, uncached: go on only if it has uid `body` and is not being deleted
    kEvent,    // record an event about `body`; never fails
  } verb;
  std::string path;
  Value body = {};
  kube::PatchType patch = kube::PatchType::kMerge;
  std::string type = {}, reason = {}, message = {};  // of an event
  // "update /apis/...", "event Normal ScalingReplicaSet Scaled up ..."
  std::string to_string() const;
};

Action create(std::string path, Value body);
Action update(std::string path, Value body);
Action merge_patch(std::string path, Value body);
Action strategic_patch(std::string path, Value body);
Action remove(std::string path, Value options = {});
Action confirm(std::string path, std::string uid);
Action normal_event(Value about, std::string reason, std::string message);
Action warning_event(Value about, std::string reason, std::string message);

struct Plan {
  std::vector<Action> actions;
  // Decide again after this time even if nothing changes.
  std::optional<Duration> again;
  std::string to_string() const;
};

}  // namespace skiff::control
