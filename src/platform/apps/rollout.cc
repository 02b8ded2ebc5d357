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

// Before that its status tells of an older release.
bool is_observed(const Value& deployment) {
  return deployment["status"]["observedGeneration"].as_int() >= deployment["metadata"]["generation"].as_int();
}

// As `kubectl rollout status` has it: all dynos are new, none is old, all are available.
bool is_complete(const Value& deployment, int version) {
  const Value &spec = deployment["spec"], &status = deployment["status"];
  const int64_t wanted = spec["replicas"].as_int(1);
  return is_observed(deployment) &&
         spec["template"]["metadata"]["labels"][kReleaseLabel].str() == release_name(version) &&
         status["updatedReplicas"].as_int() == wanted && status["replicas"].as_int() == wanted &&
         status["availableReplicas"].as_int() == wanted;
}

bool has_no_dynos(const Value& deployment, int version) {
  return deployment["spec"]["replicas"].as_int(1) == 0 &&
         deployment["spec"]["template"]["metadata"]["labels"][kReleaseLabel].str() == release_name(version);
}

bool passed_deadline(const Value& deployment) {
  const auto& conditions = deployment["status"]["conditions"].items();
  return is_observed(deployment) && std::ranges::any_of(conditions, [](const Value& condition) {
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

bool runs_release(const Value& pod, int version) {
  return release_of(pod) == version && !pod["metadata"].contains("deletionTimestamp");
}

// The counts of a Deployment lag behind its pods. One that was evicted has been replaced.
bool has_crash(const RolloutFacts& facts) {
  return std::ranges::any_of(facts.pods, [&](const Value& pod) {
    return runs_release(pod, facts.release.version) && pod["status"]["phase"].str() != "Failed" &&
           find_trouble(pod).kind == DynoTrouble::Kind::kCrashed;
  });
}

// The worst that stands in the way of the release.
void find_obstacle(const RolloutFacts& facts, Rollout& rollout) {
  DynoTrouble::Kind worst = DynoTrouble::Kind::kNone;
  for (const auto& pod : facts.pods) {
    if (!runs_release(pod, rollout.version)) continue;
    const DynoTrouble trouble = find_trouble(pod);
    const bool failed = has_failed(pod) && !is_ready(pod);
    if (!failed && trouble.kind <= worst) continue;
    worst = trouble.kind;
    rollout.message = name_of_dyno(pod) + ": " + trouble.why;
    rollout.type = pod["metadata"]["labels"][kProcessLabel].str();
    rollout.pod = trouble.kind == DynoTrouble::Kind::kCrashed || failed ? pod["metadata"]["name"].str() : "";
    const bool no_room = trouble.kind == DynoTrouble::Kind::kNoRoom;
    rollout.outlook = no_room ? Rollout::Outlook::kNeedsRoom : Rollout::Outlook::kMoving;
    if (!failed) continue;
    rollout.phase = kFailed;
    return;
  }
}

// How far the Deployments are, all together.
struct Progress {
  bool complete = true;  // also when some, or all, have no dynos
  std::string late;      // the process type that passed its deadline; "" for none
  std::set<std::string> empty;
};

Progress find_progress(const RolloutFacts& facts) {
  Progress progress;
  const int version = facts.release.version;
  for (const auto& [type, command] : facts.release.types) {
    const Value* deployment = find_deployment(facts.deployments, type);
    progress.complete = progress.complete && deployment && is_complete(*deployment, version);
    if (deployment && passed_deadline(*deployment)) progress.late = type;
    if (deployment && has_no_dynos(*deployment, version)) progress.empty.insert(type);
  }
  return progress;
}

// The process type without dynos that has to have one before the release can be judged; "" for none.
std::string find_missing_type(const Release& release, const Progress& progress) {
  if (release.phase == kFailed && progress.empty.contains(release.failed_type)) return release.failed_type;
  if (release.types.empty() || progress.empty.size() < release.types.size()) return "";
  return release.types.contains("web") ? "web" : release.types.begin()->first;
}

}  // namespace

Rollout plan_rollout(const RolloutFacts& facts) {
  Rollout rollout;
  rollout.version = facts.release.version;
  rollout.serving = find_serving(facts);
  if (facts.written == RolloutFacts::Written::kNo) {
    rollout.outlook = Rollout::Outlook::kUnwritten;
    rollout.message = "the cluster could not take it yet";
    return rollout;
  }
  if (facts.release.image.empty()) {
    rollout.phase = kSucceeded;
    return rollout;
  }
  const Progress progress = find_progress(facts);
  const std::string missing = find_missing_type(facts.release, progress);
  if (progress.complete && missing.empty() && !has_crash(facts)) {
    rollout.phase = kSucceeded;
    return rollout;
  }
  find_obstacle(facts, rollout);
  if (rollout.message.empty() && !missing.empty()) {
    rollout.outlook = Rollout::Outlook::kNoDynos;
    rollout.type = missing;
    rollout.message = fmt::format("no dyno runs: skiff scale {}=1", missing);
    return rollout;
  }
  const bool late = !progress.late.empty();
  if (late && rollout.outlook != Rollout::Outlook::kNeedsRoom) rollout.phase = kFailed;
  if (late && rollout.message.empty()) {
    rollout.message = "not all of its dynos became ready in time";
    rollout.type = progress.late;
  }
  return rollout;
}

Rollout carry_on(const Release& release, const Rollout& before, Rollout next) {
  if (next.phase != kPending) return next;
  const bool known = before.version == next.version && before.phase == kFailed;
  const bool no_dynos = next.outlook == Rollout::Outlook::kNoDynos;
  if (no_dynos && release.phase == kSucceeded) {
    next.phase = kSucceeded;
  } else if (release.phase == kFailed || known) {
    next.phase = kFailed;
    const bool looked = !no_dynos && next.outlook != Rollout::Outlook::kUnwritten;
    if (looked && !next.message.empty()) return next;
    next.message = known ? before.message : release.message;
    next.type = known ? before.type : release.failed_type;
    next.pod = known && !no_dynos ? before.pod : "";
  }
  return next;
}

std::string find_way_back(const std::vector<Release>& releases, int version) {
  int newest = 0;
  for (const auto& release : releases) {
    const bool came_up = release.phase == kSucceeded && !release.image.empty();
    if (came_up && release.version < version) newest = std::max(newest, release.version);
  }
  return newest == 0 ? "" : release_name(newest);
}

std::string move_phase(const std::string& now, const std::string& next) {
  if (now == kSucceeded) return now;
  if (now == kFailed && next != kSucceeded) return now;
  if (now == kSuperseded && next != kSucceeded) return now;
  return next;
}

}  // namespace skiff::platform
