// How far the rollout of a release is, from what the cluster shows. Pure.
//
//   Pending ──> Succeeded      every dyno of its formation was ready at once
//      │  └───> Failed ──> Succeeded   a dyno crashes again and again, or the deadline passed; it is still
//      tried └──────> Superseded     a newer release came first
//
// Succeeded is for good: what happens to dynos afterwards is the App's present state, not the release's. A
// Failed one stays so when a newer release comes. move_phase() is the one place that knows the transitions.
// A release none of whose dynos should run is neither: it keeps its phase, and is judged when one runs.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "platform/apps/app_spec.h"

namespace skiff::platform {

struct RolloutFacts {
  AppSpec spec;
  enum class Written { kNo, kYes } written = Written::kNo;  // the Deployments follow the spec
  Release release;                                          // that should run, as it was last written
  std::vector<json::Value> deployments, pods;               // of the app's process types
};

struct Rollout {
  int version = 0;
  std::string phase = kPending;
  std::string message;  // why it is not up; "" when it is, or is on its way
  std::string pod;      // whose last lines say more
  enum class Outlook { kMoving, kNeedsRoom, kNoDynos, kUnwritten } outlook = Outlook::kMoving;
  std::string serving;  // "v2"; "v2, v3" while both do; "" for nothing
  std::string type;     // the process type it fails for, or of which none runs
  std::string back;     // the last release before it that came up, "v2"; "" for none

  friend bool operator==(const Rollout&, const Rollout&) = default;
};

Rollout plan_rollout(const RolloutFacts& facts);
// The state that follows on `before`, where `next` is what the cluster shows: failed is failed until all is
// up, also while a dyno that crashes again and again happens to run, when none runs any more, and while a
// change of the app is on its way to the cluster.
Rollout carry_on(const Release& release, const Rollout& before, Rollout next);
// The newest of `releases` before `version` that came up and can be gone back to, "v2"; "" for none.
std::string find_way_back(const std::vector<Release>& releases, int version);
// The phase of a release that was in phase `now`, when it is found in `next`.
std::string move_phase(const std::string& now, const std::string& next);

}  // namespace skiff::platform
