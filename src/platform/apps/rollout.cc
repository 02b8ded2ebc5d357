#include "platform/apps/rollout.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_trouble.h"

namespace skiff::platform {

namespace {

using json::Value;

const Value* find_deployment(const std::vector<Value>& deployments, const std::string& type) {
  const auto found = std::ranges::find_if(
      deployments, [&](const Value& item) { return item["metadata"]["name"].str() == type; });
  return found == deployments.end() ? nullptr : &*found;
}

// As `kubectl rollout status` has it: all dynos are new, none is old, all are available.
bool is_complete(const Value& deployment, int version) {
  const Value &spec = deployment["spec"], &status = deployment["status"];
  const int64_t wanted = spec["replicas"].as_int(1);
  return status["observedGeneration"].as_int() >= deployment["metadata"]["generation"].as_int() &&
         spec["template"]["metadata"]["labels"][kReleaseLabel].str() == release_name(version) &&
         status["updatedReplicas"].as_int() == wanted && status["replicas"].as_int() == wanted &&
         status["availableReplicas"].as_int() == wanted;
}

bool passed_deadline(const Value& deployment) {
  const auto& conditions = deployment["status"]["conditions"].items();
  return std::ranges::any_of(conditions, [](const Value& condition) {
    return condition["type"].str() == "Progressing" &&
           condition["reason"].str() == "ProgressDeadlineExceeded";
  });
}

// The releases of the dynos that take requests; of all that run, for an app without a web process.
std::string find_serving(const RolloutFacts& facts) {
  const bool has_web = facts.release.types.contains("web");
  std::set<int> versions;
  for (const auto& pod : facts.pods) {
    const bool counts = !has_web || pod["metadata"]["labels"][kProcessLabel].str() == "web";
    if (counts && is_ready(pod)) versions.insert(release_of(pod));
  }
  std::vector<std::string> names;
  for (const int version : versions) names.push_back(release_name(version));
  return join(names, ", ");
}

// The worst that stands in the way of the release.
void find_obstacle(const RolloutFacts& facts, Rollout& rollout) {
  DynoTrouble::Kind worst = DynoTrouble::Kind::kNone;
  for (const auto& pod : facts.pods) {
    if (release_of(pod) != rollout.version || pod["metadata"].contains("deletionTimestamp")) continue;
    const DynoTrouble trouble = find_trouble(pod);
    const bool failed = has_failed(pod) && !is_ready(pod);
    if (!failed && trouble.kind <= worst) continue;
    worst = trouble.kind;
    rollout.message =
        name_of_dyno(pod) + ": " + (trouble.why.empty() ? "crashed and was started again" : trouble.why);
    rollout.pod = trouble.kind == DynoTrouble::Kind::kCrashed || failed ? pod["metadata"]["name"].str() : "";
    const bool no_room = trouble.kind == DynoTrouble::Kind::kNoRoom;
    rollout.outlook = no_room ? Rollout::Outlook::kNeedsRoom : Rollout::Outlook::kMoving;
    if (!failed) continue;
    rollout.phase = kFailed;
    return;
  }
}

}  // namespace

Rollout plan_rollout(const RolloutFacts& facts) {
  Rollout rollout;
  rollout.version = facts.release.version;
  rollout.serving = find_serving(facts);
  if (facts.written == RolloutFacts::Written::kNo) {
    rollout.message = "the cluster could not take it yet";
    return rollout;
  }
  bool complete = true, late = false;
  for (const auto& [type, command] : facts.release.types) {
    if (facts.release.image.empty()) break;
    const Value* deployment = find_deployment(facts.deployments, type);
    complete = complete && deployment && is_complete(*deployment, rollout.version);
    late = late || (deployment && passed_deadline(*deployment));
  }
  if (complete) {
    rollout.phase = kSucceeded;
    return rollout;
  }
  find_obstacle(facts, rollout);
  if (late && rollout.outlook != Rollout::Outlook::kNeedsRoom) rollout.phase = kFailed;
  if (late && rollout.message.empty()) rollout.message = "not all of its dynos became ready in time";
  return rollout;
}

std::string move_phase(const std::string& now, const std::string& next) {
  if (now == kSucceeded) return now;
  if (now == kFailed && next != kSucceeded) return now;
  if (now == kSuperseded && next != kSucceeded) return now;
  return next;
}

}  // namespace skiff::platform
