#include "node/pod/plan.h"

#include <algorithm>

#include "node/pod/phase.h"
#include "node/pod/status.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr Duration kFirstDelay = std::chrono::seconds(10);
constexpr Duration kLongestDelay = std::chrono::seconds(300);
constexpr int64_t kDefaultGraceSeconds = 30;
constexpr Duration kEvictionGrace = std::chrono::seconds(1);  // what harms the node ends at once

struct Planner {
  const Value& pod;
  const PodFacts& facts;
  Moment now;
  Plan plan;

  const ContainerFacts& of(const ContainerDef& def) const {
    static const ContainerFacts kNothing;
    const auto found = facts.containers.find(def.name);
    return found == facts.containers.end() ? kNothing : found->second;
  }
  void wake(MonotonicTime at) {
    if (at <= now.steady) return;
    if (!plan.wake_at || at < *plan.wake_at) plan.wake_at = at;
  }
  void act(Action action) { plan.actions.push_back(std::move(action)); }

  // When the container may start; a moment in the past means now.
  MonotonicTime start_time(const ContainerFacts& container) const {
    MonotonicTime at{};
    if (container.exited()) at = container.ended + restart_delay(container.crashes);
    if (container.waiting) at = std::max(at, container.waiting->retry_at);
    return at;
  }

  void start_when_due(const ContainerDef& def) {
    const ContainerFacts& container = of(def);
    if (container.work != Work::kNone || container.running()) return;
    const MonotonicTime at = start_time(container);
    if (at > now.steady) {
      if (container.exited()) wake(container.ended + kShowEnd);
      if (container.waiting) wake(container.waiting->later_at);
      wake(at);
      return;
    }
    act({Action::Kind::kStart, def.name, {}, {}});
  }

  void stop(const ContainerDef& def, Duration grace, std::string why) {
    if (of(def).running() && of(def).work != Work::kStopping) {
      act({Action::Kind::kStop, def.name, grace, std::move(why)});
    }
  }

  void replace_unfit(const ContainerDef& def) {
    const ContainerFacts& container = of(def);
    if (container.running() && is_outdated(def, *container.run)) {
      stop(def, grace_period(pod), "Container " + def.name + " definition changed, will be restarted");
      return;
    }
    if (!container.condemned) return;
    const Duration grace = container.condemned_grace
                               ? Duration(std::chrono::seconds(*container.condemned_grace))
                               : grace_period(pod);
    stop(def, grace, container.condemned_message);
  }

  // True when an attempt belongs to the present sandbox: what ran in one before it did its work elsewhere.
  bool has_run(const ContainerDef& def) const {
    const auto& run = of(def).run;
    return run && run->sandbox_number == facts.sandbox_number;
  }
  bool idle(const ContainerDef& def) const { return !of(def).running() && of(def).work == Work::kNone; }
};

bool apps_have_run(const Planner& planner, const std::vector<ContainerDef>& defs) {
  return std::any_of(defs.begin(), defs.end(),
                     [&](const ContainerDef& def) { return def.role == Role::kApp && planner.has_run(def); });
}

// True when the apps may start.
bool plan_inits(Planner& planner, const std::vector<ContainerDef>& defs) {
  const bool initialized = apps_have_run(planner, defs);
  for (const auto& def : defs) {
    const ContainerFacts& container = planner.of(def);
    if (def.role == Role::kSidecar) {
      planner.replace_unfit(def);
      planner.start_when_due(def);
      const bool started = container.running() && container.hook_done && container.startup_passed;
      if (!started && !initialized) return false;
    } else if (def.role == Role::kInit && !initialized) {
      const bool ended = container.exited() && planner.has_run(def);
      if (ended && container.run->exit_code == 0) continue;
      const bool again = !ended || should_restart(planner.pod, def, *container.run);
      if (again) planner.start_when_due(def);
      return false;
    }
  }
  return true;
}

void plan_apps(Planner& planner, const std::vector<ContainerDef>& defs) {
  for (const auto& def : defs) {
    if (def.role != Role::kApp) continue;
    const ContainerFacts& container = planner.of(def);
    planner.replace_unfit(def);
    if (container.exited() && !should_restart(planner.pod, def, *container.run)) continue;
    planner.start_when_due(def);
  }
}

// Apps first, then sidecars one by one from the last: each may need those before it.
bool plan_stops(Planner& planner, const std::vector<ContainerDef>& defs, Duration grace,
                const std::string& why) {
  bool all_idle = true;
  for (const auto& def : defs) {
    if (def.role == Role::kSidecar) continue;
    planner.stop(def, grace, why);
    all_idle = all_idle && planner.idle(def);
  }
  for (auto def = defs.rbegin(); def != defs.rend() && all_idle; ++def) {
    if (def->role != Role::kSidecar) continue;
    planner.stop(*def, grace, why);
    all_idle = planner.idle(*def);
  }
  return all_idle;
}

void plan_removal(Planner& planner, bool may_finish) {
  switch (planner.facts.sandbox) {
    case SandboxState::kReady:
      planner.act({Action::Kind::kTearDown, "", {}, {}});
      break;
    case SandboxState::kNone:
    case SandboxState::kGone:
      if (may_finish) planner.act({Action::Kind::kFinish, "", {}, {}});
      break;
    case SandboxState::kSettingUp:
    case SandboxState::kTearingDown:
      break;
  }
}

std::optional<MonotonicTime> deadline(const Planner& planner) {
  const Value& seconds = planner.pod["spec"]["activeDeadlineSeconds"];
  if (seconds.is_null()) return std::nullopt;
  return planner.facts.started + std::chrono::seconds(seconds.as_int());
}

bool is_terminal(const std::string& phase) {
  return phase == "Succeeded" || phase == "Failed";
}

void plan_life(Planner& planner, const std::vector<ContainerDef>& defs) {
  if (planner.facts.sandbox == SandboxState::kNone || planner.facts.sandbox == SandboxState::kGone) {
    if (planner.facts.sandbox_retry_at > planner.now.steady) {
      planner.wake(planner.facts.sandbox_retry_at);
    } else {
      planner.act({Action::Kind::kSetUpSandbox, "", {}, {}});
    }
    return;
  }
  if (planner.facts.sandbox != SandboxState::kReady) return;
  if (plan_inits(planner, defs)) plan_apps(planner, defs);
}

}  // namespace

std::vector<ContainerDef> list_containers(const Value& pod) {
  std::vector<ContainerDef> out;
  for (const auto& spec : pod["spec"]["initContainers"].items()) {
    out.push_back({spec["name"].str(), is_sidecar(spec) ? Role::kSidecar : Role::kInit, spec});
  }
  for (const auto& spec : pod["spec"]["containers"].items())
    out.push_back({spec["name"].str(), Role::kApp, spec});
  return out;
}

Duration restart_delay(int crashes) {
  if (crashes <= 0) return {};
  Duration delay = kFirstDelay;
  for (int i = 1; i < crashes && delay < kLongestDelay; ++i) delay *= 2;
  return std::min(delay, kLongestDelay);
}

Duration grace_period(const Value& pod) {
  const Value& deletion = pod["metadata"]["deletionGracePeriodSeconds"];
  if (!deletion.is_null()) return std::chrono::seconds(std::max<int64_t>(deletion.as_int(), 0));
  return std::chrono::seconds(pod["spec"]["terminationGracePeriodSeconds"].as_int(kDefaultGraceSeconds));
}

bool is_outdated(const ContainerDef& def, const ContainerRun& run) {
  return def.role != Role::kInit && run.image != def.spec["image"].str();
}

bool should_restart(const Value& pod, const ContainerDef& def, const ContainerRun& run) {
  if (def.role == Role::kSidecar || is_outdated(def, run)) return true;
  const std::string policy = pod["spec"]["restartPolicy"].str_or("Always");
  if (policy == "Never") return false;
  // For an init container Always means: until it succeeds.
  return run.exit_code != 0 || (policy == "Always" && def.role == Role::kApp);
}

Plan plan_pod(const Value& pod, const PodFacts& facts, Moment now) {
  Planner planner{pod, facts, now, {}};
  const auto defs = list_containers(pod);
  const bool deleted = facts.object_gone || !pod["metadata"]["deletionTimestamp"].is_null();
  StatusInput input{pod, facts};
  const auto expiry = deadline(planner);
  if (expiry && *expiry <= now.steady) {
    input.forced_reason = "DeadlineExceeded";
    input.forced_message = "Pod was active on the node longer than the specified deadline";
  } else if (facts.evicted) {
    input.forced_reason = "Evicted";
    input.forced_message = *facts.evicted;
  }
  // Known as terminal before: stays so, whatever its containers show after a restart of the node.
  const bool was_terminal = is_terminal(pod["status"]["phase"].str());
  const Duration grace = facts.evicted ? std::min(kEvictionGrace, grace_period(pod)) : grace_period(pod);
  bool closing = deleted || was_terminal || !input.forced_reason.empty();
  if (!closing) {
    const auto status = make_status(input, now);
    const auto computed = compute_phase(pod["spec"], status["initContainerStatuses"],
                                        status["containerStatuses"], PodEnd::kOpen);
    bool sidecars_only = true, outdated = false;
    for (const auto& def : defs) {
      const ContainerFacts& container = planner.of(def);
      if (def.role != Role::kApp) continue;
      sidecars_only = sidecars_only && container.exited() && container.work == Work::kNone &&
                      !should_restart(pod, def, *container.run);
      outdated = outdated || (container.run && is_outdated(def, *container.run));
    }
    closing = !outdated && (is_terminal(computed) || sidecars_only);
  }
  if (closing) {
    const bool stopped = plan_stops(planner, defs, grace, "");
    if (stopped) {
      if (deleted || !input.forced_reason.empty() || was_terminal) input.end = PodEnd::kClosing;
      plan_removal(planner, deleted);
    }
  } else {
    if (expiry) planner.wake(*expiry);
    plan_life(planner, defs);
  }
  planner.plan.status = make_status(input, now);
  return std::move(planner.plan);
}

}  // namespace skiff::node
