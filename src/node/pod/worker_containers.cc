// Starting and stopping the containers of a pod.
#include <signal.h>
#include <string.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "node/pod/probe_runner.h"
#include "node/pod/status.h"
#include "node/pod/stop_delay.h"
#include "node/pod/worker.h"

namespace skiff::node {

namespace {

using Type = EventRecorder::Type;

constexpr Duration kConfigRetry =
    std::chrono::seconds(10);  // until a missing ConfigMap or key is looked for again
// An API server that is away says nothing about the pod: it is asked again soon, and nobody is told.
constexpr Duration kAwayRetry = std::chrono::milliseconds(200);
// Of events: the platform shows their messages to who pushes (platform/builds/pod_start.h).
constexpr const char* kStackLayerReason = "StackLayer";
constexpr int kStartErrorCode = 128;
constexpr size_t kMaxShownError = 4096;                   // of a status: it may quote what the pod says
constexpr Duration kKillWait = std::chrono::seconds(10);  // for the end of a container after SIGKILL

int signal_number(const std::string& text) {
  if (text.empty()) return SIGTERM;
  if (const auto number = parse_int(text)) return static_cast<int>(*number);
  const std::string name = text.starts_with("SIG") ? text.substr(3) : text;
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return SIGTERM;
}

std::string spoken_duration(double seconds) {
  return seconds < 1 ? std::to_string(static_cast<int>(seconds * 1000)) + "ms"
                     : std::to_string(seconds).substr(0, std::to_string(seconds).size() - 3) + "s";
}

}  // namespace

// A pod that is to go does not wait for its images.
void PodWorker::give_up_pulls() {
  for (const auto& name : std::exchange(pulling_, {})) {
    starts_.erase(name);
    facts_.containers[name].work = Work::kNone;
  }
}

void PodWorker::image_failed(const ContainerDef& def, ContainerFacts& facts, const ImageOutcome& outcome) {
  const std::string image = "\"" + def.spec["image"].str() + "\"";
  Waiting waiting{outcome.reason, outcome.message, services_.loop.now() + kConfigRetry};
  if (outcome.reason == "ErrImagePull") {
    const Duration delay = restart_delay(++pull_failures_[def.name]);
    waiting.retry_at = services_.loop.now() + delay;
    waiting.later_at = services_.loop.now() + kShowEnd;
    waiting.later_reason = "ImagePullBackOff";
    waiting.later_message = "Back-off pulling image " + image + ": ErrImagePull: " + outcome.message;
    event(field(def), Type::kWarning, "Failed", "Failed to pull image " + image + ": " + outcome.message);
    event(field(def), Type::kWarning, "Failed", "Error: ErrImagePull");
    event(field(def), Type::kNormal, "BackOff", "Back-off pulling image " + image);
    event(field(def), Type::kWarning, "Failed", "Error: ImagePullBackOff");
  } else {
    const bool never = outcome.reason == "ErrImageNeverPull";
    event(field(def), Type::kWarning, never ? "ErrImageNeverPull" : "InspectFailed", outcome.message);
    event(field(def), Type::kWarning, "Failed", "Error: " + outcome.reason);
  }
  facts.waiting = std::move(waiting);
}

io::Task<void> PodWorker::start(std::string name) {
  const auto def = def_of(name);
  if (!def) co_return;
  const std::string reference = def->spec["image"].str();
  const PullPolicy policy = pull_policy(def->spec["imagePullPolicy"].str(), reference);
  std::string credentials;
  if (!services_.images.present(reference)) {
    credentials = co_await services_.host.pull_credentials(pod_);
    if (policy != PullPolicy::kNever) {
      event(field(*def), Type::kNormal, "Pulling", "Pulling image \"" + reference + "\"");
    }
  }
  pulling_.insert(name);
  const ImageService::Tell tell = [this, where = field(*def)](const std::string& message) {
    event(where, Type::kNormal, kStackLayerReason, message);
  };
  const std::string name_space = pod_["metadata"]["namespace"].str();
  auto outcome = co_await services_.images.ensure(reference, name_space, policy, credentials, tell);
  pulling_.erase(name);
  if (!outcome.image) {
    image_failed(*def, facts_.containers[name], outcome);
  } else {
    pull_failures_.erase(name);
    event(field(*def), Type::kNormal, "Pulled",
          outcome.pulled
              ? "Successfully pulled image \"" + reference + "\" in " + spoken_duration(outcome.seconds) +
                    ". Image size: " + std::to_string(outcome.image->bytes) + " bytes."
              : "Container image \"" + reference + "\" already present on machine");
    Image image = *outcome.image;
    image.name = reference;  // another pod may have fetched it by another name
    auto started = co_await create_and_run(*def, image);
    if (started) {
      const ContainerKey key = facts_.containers[name].run->key;
      if (def->spec["lifecycle"].contains("postStart")) {
        auto hooked = co_await run_hook(*def, key, "postStart", std::chrono::hours(1));
        facts_.containers[name].hook_done = true;
        static_cast<void>(hooked);
      }
      if (facts_.containers[name].running()) start_probes(*def);
    }
  }
  // A deletion may have begun to stop it meanwhile.
  Work& work = facts_.containers[name].work;
  if (work == Work::kStarting) work = Work::kNone;
  // It may have ended before anybody listened.
  container_ended(name);
  wake();
}

io::Task<bool> PodWorker::create_and_run(ContainerDef def, Image image) {
  const int attempt = facts_.containers[def.name].next_attempt;
  auto spec = co_await services_.host.make_spec(pod_, def, attempt, image, ground_);
  if (!spec) {
    const bool away = spec.error().code == Code::kUnavailable;
    facts_.containers[def.name].waiting = Waiting{away ? "ContainerCreating" : "CreateContainerConfigError",
                                                  away ? "" : spec.error().message.substr(0, kMaxShownError),
                                                  services_.loop.now() + (away ? kAwayRetry : kConfigRetry)};
    if (away) co_return false;
    event(field(def), Type::kWarning, "Failed", "Error: " + spec.error().message);
    co_return false;
  }
  auto run = co_await services_.runtime.start(std::move(*spec));
  if (run) {
    event(field(def), Type::kNormal, "Created", "Created container: " + def.name);
    event(field(def), Type::kNormal, "Started", "Started container " + def.name);
    began(def, *run);
    co_return true;
  }
  event(field(def), Type::kWarning, "Failed", "Error: " + run.error().message);
  if (run.error().code == Code::kInvalidArgument) {
    event(field(def), Type::kNormal, "Created", "Created container: " + def.name);
    never_started(def, run.error().message);
  } else {
    facts_.containers[def.name].waiting =
        Waiting{"CreateContainerError", run.error().message, services_.loop.now() + kConfigRetry};
  }
  co_return false;
}

void PodWorker::began(const ContainerDef& def, ContainerRun run) {
  ContainerFacts& facts = facts_.containers[def.name];
  const bool again = facts.run && facts.run->image == run.image;
  facts.crashes = again ? facts.crashes + 1 : 0;
  facts.last = std::move(facts.run);
  facts.next_attempt = run.key.attempt + 1;
  facts.run = std::move(run);
  facts.began = facts.ended = services_.loop.now();  // an attempt that never started has ended, too
  facts.waiting.reset();
  facts.condemned = false;
  facts.condemned_grace.reset();
  facts.hook_done = !def.spec["lifecycle"].contains("postStart");
  facts.startup_passed = !def.spec.contains("startupProbe");
  facts.ready = !def.spec.contains("readinessProbe");
}

// A program that could not be started counts as an attempt that ended.
void PodWorker::never_started(const ContainerDef& def, const std::string& message) {
  ContainerRun run;
  run.key = {pod_["metadata"]["uid"].str(), def.name, facts_.containers[def.name].next_attempt};
  run.id = container_id(run.key);
  run.image = def.spec["image"].str();
  run.sandbox_number = ground_.sandbox_number;
  run.state = RunState::kExited;
  run.exit_code = kStartErrorCode;
  run.reason = "StartError";
  run.message = message;
  run.finished = services_.loop.wall_now();
  began(def, run);
  ContainerFacts& facts = facts_.containers[def.name];
  facts.hook_done = true;
  Waiting waiting{"RunContainerError", message};
  if (restart_delay(facts.crashes) > Duration{}) {
    waiting.later_at = services_.loop.now() + kShowEnd;
    waiting.later_reason = "CrashLoopBackOff";
    waiting.later_message = crash_loop_message(pod_, def.name, restart_delay(facts.crashes));
  }
  facts.waiting = std::move(waiting);
  note_back_off(def.name);
}

// True when it succeeded.
io::Task<bool> PodWorker::run_hook(ContainerDef def, ContainerKey key, std::string hook, Duration limit) {
  const json::Value action = def.spec["lifecycle"][hook];
  ProbeOutcome outcome;
  if (action.contains("sleep")) {
    const Duration nap = std::chrono::seconds(action["sleep"]["seconds"].as_int());
    co_await io::sleep(services_.loop, std::min(nap, limit));
  } else {
    outcome = co_await services_.prober.probe(key, facts_.ip, def.spec, action, limit);
  }
  if (outcome.verdict == ProbeOutcome::Verdict::kSuccess) co_return true;
  const bool starting = hook == "postStart";
  event(field(def), Type::kWarning, starting ? "FailedPostStartHook" : "FailedPreStopHook",
        starting ? "PostStartHook failed" : "PreStopHook failed");
  if (!starting) co_return false;
  ContainerFacts& facts = facts_.containers[def.name];
  if (facts.running()) {
    const auto& metadata = pod_["metadata"];
    std::string words;
    for (const auto& word : action["exec"]["command"].items())
      words += (words.empty() ? "" : " ") + word.str();
    facts.waiting = Waiting{"PostStartHookError",
                            "Exec lifecycle hook ([" + words + "]) for Container \"" + def.name +
                                "\" in Pod \"" + metadata["name"].str() + "_" + metadata["namespace"].str() +
                                "(" + metadata["uid"].str() + ")\" failed - error: " + outcome.message};
    facts.condemned = true;
    facts.condemned_message = "FailedPostStartHook";
  }
  co_return false;
}

io::Task<void> PodWorker::stop(std::string name, Duration grace, std::string why) {
  const auto def = def_of(name);
  const ContainerKey key = facts_.containers[name].run->key;
  if (def) event(field(*def), Type::kNormal, "Killing", why.empty() ? "Stopping container " + name : why);
  const MonotonicTime by = services_.loop.now() + grace;
  MonotonicTime least{};
  if (def && !pod_["metadata"]["deletionTimestamp"].is_null()) co_await let_traffic_end(*def, key, grace);
  const bool hooked = def && def->spec["lifecycle"].contains("preStop") && grace > Duration{};
  if (hooked && facts_.containers[name].running()) {
    co_await pre_stop(*def, key, by - services_.loop.now());
    least = services_.loop.now() + kMinimumGrace;
  }
  const MonotonicTime most = std::max(by, services_.loop.now() + kMinimumGrace);
  const std::string wanted = facts_.containers[name].run->stop_signal;
  auto asked = services_.runtime.signal(key, signal_number(wanted));
  const auto ended = [this, name, key] {
    const auto& facts = facts_.containers[name];
    return !facts.running() || !(facts.run->key == key);
  };
  co_await stop_step(ended, least, most);
  if (facts_.containers[name].running()) {
    auto killed = services_.runtime.signal(key, SIGKILL);
    const MonotonicTime late = services_.loop.now() + kKillWait;
    co_await stop_step(ended, late, late);
  }
  facts_.containers[name].work = Work::kNone;
  wake();
}

// A hurried deletion ends the pause, and so does the container's own end.
io::Task<void> PodWorker::let_traffic_end(ContainerDef def, ContainerKey key, Duration grace) {
  const MonotonicTime now = services_.loop.now();
  if (!quiet_at_) quiet_at_ = now + plan_stop_delay(pod_, services_.routed(pod_), grace);
  const MonotonicTime until = *quiet_at_ - own_stop_delay(def.spec);
  if (until <= now) co_return;
  const auto ended = [this, name = def.name, key] {
    const auto& facts = facts_.containers[name];
    return !facts.running() || !(facts.run->key == key);
  };
  co_await stop_step(ended, MonotonicTime{}, until);
}

io::Task<void> PodWorker::pre_stop(ContainerDef def, ContainerKey key, Duration grace) {
  struct Hook {
    static io::Task<void> run(PodWorker* worker, ContainerDef def, ContainerKey key, Duration limit,
                              bool* over) {
      auto hooked = co_await worker->run_hook(def, key, "preStop", limit);
      static_cast<void>(hooked);
      *over = true;
      worker->stop_changed_.set();
    }
  };
  bool over = false;
  io::TaskScope scope(services_.loop);
  scope.spawn(Hook::run(this, def, key, grace, &over));
  const auto ended = [&over] { return over; };
  co_await stop_step(ended, MonotonicTime{}, MonotonicTime::max());
}

// Until it is over or the time has come: a hurried deletion brings `most` forward, at most to `least`.
io::Task<void> PodWorker::stop_step(std::function<bool()> over, MonotonicTime least, MonotonicTime most) {
  struct Timer {
    io::Loop& loop;
    io::TimerId id;
    ~Timer() { loop.cancel_timer(id); }
  };
  for (;;) {
    stop_changed_.reset();
    const MonotonicTime until = std::clamp(stop_by_, least, most);
    if (over() || services_.loop.now() >= until) co_return;
    Timer timer{services_.loop, services_.loop.add_timer(until, [this] { stop_changed_.set(); })};
    co_await stop_changed_.wait();
  }
}

void PodWorker::start_probes(const ContainerDef& def) {
  const bool any = def.spec.contains("startupProbe") || def.spec.contains("livenessProbe") ||
                   def.spec.contains("readinessProbe");
  if (!any || def.role == Role::kInit) return;
  const std::string name = def.name, where = field(def);
  ProbeEvents events;
  events.failed = [this, where](ProbeKind kind, const std::string& message) {
    const char* what = kind == ProbeKind::kStartup    ? "Startup"
                       : kind == ProbeKind::kLiveness ? "Liveness"
                                                      : "Readiness";
    event(where, Type::kWarning, "Unhealthy", std::string(what) + " probe failed: " + message);
  };
  events.verdict = [this, name](ProbeKind kind, bool passed) { on_probe(name, kind, passed); };
  const ContainerFacts& facts = facts_.containers[name];
  const Startup startup = facts.startup_passed ? Startup::kPassed : Startup::kPending;
  probes_[name] = std::make_unique<ProbeRunner>(services_.loop, services_.prober, facts.run->key, facts_.ip,
                                                def.spec, startup, std::move(events));
}

void PodWorker::on_probe(const std::string& name, ProbeKind kind, bool passed) {
  ContainerFacts& facts = facts_.containers[name];
  const auto def = def_of(name);
  if (!def || !facts.running()) return;
  if (kind == ProbeKind::kReadiness) facts.ready = passed;
  if (kind == ProbeKind::kStartup && passed) facts.startup_passed = true;
  if (kind != ProbeKind::kReadiness && !passed) {
    const bool startup = kind == ProbeKind::kStartup;
    facts.condemned = true;
    facts.condemned_message =
        "Container " + name + " failed " + (startup ? "startup" : "liveness") + " probe, will be restarted";
    const auto& grace =
        def->spec[startup ? "startupProbe" : "livenessProbe"]["terminationGracePeriodSeconds"];
    if (grace.is_int()) facts.condemned_grace = grace.as_int();
  }
  wake();
}

}  // namespace skiff::node
