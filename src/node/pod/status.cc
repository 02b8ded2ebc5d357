#include "node/pod/status.h"

#include "base/strings.h"
#include "node/pod/plan.h"

namespace skiff::node {

namespace {

using json::Value;

Value terminated(const ContainerRun& run) {
  Value out = Value::object({{"exitCode", run.exit_code}, {"reason", run.reason}});
  if (!run.message.empty()) out.set("message", run.message);
  out.set("startedAt", format_rfc3339(run.started));
  out.set("finishedAt", format_rfc3339(run.finished));
  out.set("containerID", "skiff://" + run.id);
  return Value::object({{"terminated", out}});
}

Value waiting(const std::string& reason, const std::string& message) {
  Value out = Value::object({{"reason", reason}});
  if (!message.empty()) out.set("message", message);
  return Value::object({{"waiting", out}});
}

Value waiting(const Waiting& wait, MonotonicTime now) {
  const bool later = !wait.later_reason.empty() && now >= wait.later_at;
  return later ? waiting(wait.later_reason, wait.later_message) : waiting(wait.reason, wait.message);
}

std::string first_wait(const Value& pod) {
  return pod["spec"]["initContainers"].size() > 0 ? "PodInitializing" : "ContainerCreating";
}

struct Shown {
  Value state;
  bool run_is_last = false;  // the latest attempt appears as lastState
};

Shown show_ended(const Value& pod, const ContainerDef& def, const ContainerFacts& facts, PodEnd end,
                 MonotonicTime now) {
  const ContainerRun& run = *facts.run;
  const bool again = end == PodEnd::kOpen && should_restart(pod, def, run);
  if (!again) return {terminated(run)};
  if (facts.waiting) return {waiting(*facts.waiting, now), true};
  const Duration delay = restart_delay(facts.crashes);
  if (facts.work == Work::kStarting || delay == Duration{} || now < facts.ended + kShowEnd)
    return {terminated(run)};
  return {waiting("CrashLoopBackOff", crash_loop_message(pod, def.name, delay)), true};
}

Shown show(const Value& pod, const ContainerDef& def, const ContainerFacts& facts, PodEnd end,
           MonotonicTime now) {
  if (facts.exited()) return show_ended(pod, def, facts, end, now);
  if (facts.running() && facts.hook_done) {
    return {Value::object({{"running", Value::object({{"startedAt", format_rfc3339(facts.run->started)}})}})};
  }
  const bool inits_pending = pod["spec"]["initContainers"].size() > 0;
  if (end == PodEnd::kClosing && !facts.run && !inits_pending) {
    // It never ran and never will.
    Value lost = Value::object({{"exitCode", 137},
                                {"reason", "ContainerStatusUnknown"},
                                {"message", "The container could not be located when the pod was terminated"},
                                {"startedAt", nullptr},
                                {"finishedAt", nullptr}});
    return {Value::object({{"terminated", lost}})};
  }
  if (facts.waiting) return {waiting(*facts.waiting, now)};
  return {waiting(first_wait(pod), "")};
}

Value volume_mounts(const Value& spec) {
  Value out = Value::array();
  for (const auto& mount : spec["volumeMounts"].items()) {
    Value entry = Value::object({{"name", mount["name"]}, {"mountPath", mount["mountPath"]}});
    if (mount["readOnly"].as_bool()) {
      entry.set("readOnly", true);
      entry.set("recursiveReadOnly", "Disabled");
    }
    out.push_back(entry);
  }
  return out;
}

Value container_status(const Value& pod, const ContainerDef& def, const ContainerFacts& facts, PodEnd end,
                       MonotonicTime now) {
  const Shown shown = show(pod, def, facts, end, now);
  Value out = Value::object({{"name", def.name}, {"state", shown.state}});
  Value last = Value::object();
  if (shown.run_is_last) {
    last = terminated(*facts.run);
  } else if (facts.last) {
    last = terminated(*facts.last);
  }
  out.set("lastState", last);
  const bool up = facts.running() && facts.hook_done;
  const bool started = up && facts.startup_passed;
  const bool init_done = def.role == Role::kInit && facts.exited() && facts.run->exit_code == 0;
  out.set("ready", init_done || (started && facts.ready && def.role != Role::kInit));
  out.set("started", started);
  out.set("restartCount", facts.run ? facts.run->key.attempt : 0);
  const bool known = facts.run && !facts.run->image.empty();
  out.set("image", known ? facts.run->image : def.spec["image"].str());
  out.set("imageID", known ? facts.run->image_id : "");
  if (facts.run) out.set("containerID", "skiff://" + facts.run->id);
  const Value mounts = volume_mounts(def.spec);
  if (mounts.size() > 0) out.set("volumeMounts", mounts);
  return out;
}

void set_addresses(Value& status, const PodFacts& facts) {
  if (!facts.host_ip.empty()) {
    status.set("hostIP", facts.host_ip);
    status.set("hostIPs", Value::array({Value::object({{"ip", facts.host_ip}})}));
  }
  if (facts.ip.empty()) return;
  status.set("podIP", facts.ip);
  status.set("podIPs", Value::array({Value::object({{"ip", facts.ip}})}));
}

bool is_terminal(const std::string& phase) {
  return phase == "Succeeded" || phase == "Failed";
}

bool any_running(const PodFacts& facts) {
  for (const auto& [name, container] : facts.containers) {
    if (container.running()) return true;
  }
  return false;
}

}  // namespace

std::string crash_loop_message(const json::Value& pod, const std::string& container, Duration delay) {
  const auto& metadata = pod["metadata"];
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay).count();
  const std::string text = seconds % 60 == 0 ? std::to_string(seconds / 60) + "m0s"
                                             : (seconds > 60 ? std::to_string(seconds / 60) + "m" : "") +
                                                   std::to_string(seconds % 60) + "s";
  return "back-off " + text + " restarting failed container=" + container + " pod=" + metadata["name"].str() +
         "_" + metadata["namespace"].str() + "(" + metadata["uid"].str() + ")";
}

Value make_status(const StatusInput& input, Moment now) {
  static const ContainerFacts kUnknown;
  Value init = Value::array(), apps = Value::array();
  for (const auto& def : list_containers(input.pod)) {
    const auto found = input.facts.containers.find(def.name);
    const auto& facts = found == input.facts.containers.end() ? kUnknown : found->second;
    (def.role == Role::kApp ? apps : init)
        .push_back(container_status(input.pod, def, facts, input.end, now.steady));
  }
  const Value& old = input.pod["status"];
  std::string phase = compute_phase(input.pod["spec"], init, apps, input.end);
  if (!input.forced_reason.empty()) phase = "Failed";
  if (is_terminal(old["phase"].str())) phase = old["phase"].str();
  const bool sandbox = input.facts.sandbox == SandboxState::kReady;
  Value status = Value::object({{"phase", phase}});
  status.set("conditions",
             compute_conditions({input.pod["spec"], old, init, apps, phase, sandbox}, now.wall));
  // A terminal phase is told only when nothing runs any more: who reads it may start a successor.
  const bool hold = is_terminal(phase) && !is_terminal(old["phase"].str()) &&
                    (any_running(input.facts) || input.facts.sandbox == SandboxState::kReady);
  if (hold) status.set("phase", old["phase"].str_or("Pending"));
  if (!hold && !input.forced_reason.empty()) {
    status.set("reason", input.forced_reason);
    status.set("message", input.forced_message);
  } else if (!old["reason"].str().empty() && is_terminal(old["phase"].str())) {
    status.set("reason", old["reason"]);
    status.set("message", old["message"]);
  }
  set_addresses(status, input.facts);
  status.set("startTime", format_rfc3339(input.facts.start_time));
  if (init.size() > 0) status.set("initContainerStatuses", init);
  status.set("containerStatuses", apps);
  status.set("qosClass", qos_class(input.pod["spec"]));
  return status;
}

}  // namespace skiff::node
