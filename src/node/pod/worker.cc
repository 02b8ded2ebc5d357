#include "node/pod/worker.h"

#include <signal.h>

#include <algorithm>

#include "base/log.h"
#include "node/pod/probe_runner.h"
#include "node/pod/status.h"

namespace skiff::node {

namespace {
constexpr Duration kRefreshVolumes = std::chrono::seconds(60);
constexpr Duration kSendRest = std::chrono::seconds(5);  // a pod's network outlives its containers at most so
constexpr Duration kSendRestCheck = std::chrono::milliseconds(50);
constexpr Duration kStatusRetry = std::chrono::seconds(1);
constexpr Duration kFirstMountRetry = std::chrono::milliseconds(500);
constexpr Duration kLongestMountRetry = std::chrono::seconds(122);

// When that was, as far as the wall clock can tell: it may have been set since. What lies ahead is now.
MonotonicTime steady_at(const io::Loop& loop, WallTime then) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365 * 10);
  return loop.now() - std::clamp(loop.wall_now() - then, Duration{}, kLongest);
}

Duration mount_retry(int failures) {
  Duration delay = kFirstMountRetry;
  for (int i = 1; i < failures && delay < kLongestMountRetry; ++i) delay *= 2;
  return std::min(delay, kLongestMountRetry);
}

// Conditions are merged with those the API has, so what one no longer says is taken back by name.
json::Value status_patch(const json::Value& pod, json::Value status) {
  for (auto& condition : status.edit("conditions").edit_items()) {
    for (const char* field : {"reason", "message"}) {
      if (!condition.contains(field)) condition.set(field, nullptr);
    }
  }
  return json::Value::object(
      {{"metadata", json::Value::object({{"uid", pod["metadata"]["uid"]}})}, {"status", std::move(status)}});
}
}  // namespace

PodWorker::PodWorker(WorkerServices services, json::Value pod, std::function<void()> finished)
    : services_(services),
      pod_(std::move(pod)),
      finished_(std::move(finished)),
      changed_(services.loop),
      status_changed_(services.loop),
      stop_changed_(services.loop),
      scope_(services.loop) {
  adopt();
  scope_.spawn(run());
  scope_.spawn(write_statuses());
  scope_.spawn(refresh_volumes());
}

PodWorker::~PodWorker() = default;

std::optional<ContainerDef> PodWorker::def_of(const std::string& name) const {
  for (auto& def : list_containers(pod_)) {
    if (def.name == name) return def;
  }
  return std::nullopt;
}

std::string PodWorker::field(const ContainerDef& def) const {
  return (def.role == Role::kApp ? "spec.containers{" : "spec.initContainers{") + def.name + "}";
}

void PodWorker::event(const std::string& where, EventRecorder::Type type, const std::string& reason,
                      const std::string& text) {
  services_.events.record(pod_, where, type, reason, text);
}

// Facts from what survived a restart of the agent.
void PodWorker::adopt() {
  facts_.host_ip = services_.host_ip;
  facts_.start_time = parse_rfc3339(pod_["status"]["startTime"].str()).value_or(services_.loop.wall_now());
  facts_.started = steady_at(services_.loop, facts_.start_time);
  facts_.ip = pod_["status"]["podIP"].str();
  written_status_ = pod_["status"];
  std::map<std::string, std::vector<ContainerRun>> runs;
  for (auto& run : services_.runtime.list(pod_["metadata"]["uid"].str())) {
    runs[run.key.name].push_back(std::move(run));
  }
  InOrder apps(pod_["status"]["containerStatuses"]), inits(pod_["status"]["initContainerStatuses"]);
  for (const auto& def : list_containers(pod_)) {
    ContainerFacts& facts = facts_.containers[def.name];
    for (auto& run : runs[def.name]) {
      facts.last = std::move(facts.run);
      facts.next_attempt = run.key.attempt + 1;
      facts.began = steady_at(services_.loop, run.started);
      facts.ended = std::max(facts.began, steady_at(services_.loop, run.finished));
      facts.run = std::move(run);
    }
    const auto& shown = (def.role == Role::kApp ? apps : inits).find(def.name);
    facts.next_attempt =
        std::max(facts.next_attempt, facts.run ? 0 : static_cast<int>(shown["restartCount"].as_int()));
    // A container that was lost (a reboot, a killed monitor) did not crash.
    const bool lost = facts.run && facts.run->reason == "ContainerStatusUnknown";
    facts.crashes = facts.run && !lost ? facts.run->key.attempt : 0;
    // The status may be that of the attempt before.
    const bool same = facts.run && shown["restartCount"].as_int() == facts.run->key.attempt;
    facts.startup_passed = !def.spec.contains("startupProbe") || (same && shown["started"].as_bool());
    facts.ready = !def.spec.contains("readinessProbe") || (same && shown["ready"].as_bool());
  }
}

// Another image is tried at once, whatever happened to the one before.
void PodWorker::note_images(const json::Value& before) {
  std::map<std::string, json::Value> images;
  for (const auto& def : list_containers(pod_)) images[def.name] = def.spec["image"];
  for (const auto& def : list_containers(before)) {
    const auto now = images.find(def.name);
    if (now == images.end() || now->second == def.spec["image"]) continue;
    ContainerFacts& facts = facts_.containers[def.name];
    facts.waiting.reset();
    facts.crashes = 0;
    pull_failures_.erase(def.name);
  }
}

void PodWorker::update(json::Value pod) {
  const bool deletion =
      pod_["metadata"]["deletionTimestamp"].is_null() && !pod["metadata"]["deletionTimestamp"].is_null();
  const json::Value before = std::exchange(pod_, std::move(pod));
  note_images(before);
  const json::Value& grace_before = before["metadata"]["deletionGracePeriodSeconds"];
  const json::Value& grace = pod_["metadata"]["deletionGracePeriodSeconds"];
  if (grace_before.is_int() && grace.is_int() && grace.as_int() < grace_before.as_int()) {
    stop_by_ = services_.loop.now() + std::chrono::seconds(grace.as_int());
    stop_changed_.set();
  }
  const auto start = parse_rfc3339(pod_["status"]["startTime"].str());
  if (start && *start < facts_.start_time) facts_.start_time = *start;
  if (deletion) {
    for (auto& [name, probe] : probes_) probe->only_readiness();
    give_up_pulls();
  }
  wake();
}

void PodWorker::object_gone() {
  facts_.object_gone = true;
  give_up_pulls();
  wake();
}

void PodWorker::evict(std::string message) {
  if (facts_.evicted) return;
  event("", EventRecorder::Type::kWarning, "Evicted", message);
  facts_.evicted = std::move(message);
  wake();
}

void PodWorker::container_ended(const std::string& name) {
  auto facts = facts_.containers.find(name);
  if (facts == facts_.containers.end() || !facts->second.run) return;
  if (facts->second.exited()) return;
  auto run = services_.runtime.find(facts->second.run->key);
  if (!run || run->state != RunState::kExited) return;
  const auto def = def_of(name);
  if (def && run->message.empty()) run->message = services_.host.termination_message(pod_, *def, *run);
  facts->second.ended = services_.loop.now();
  if (facts->second.ended - facts->second.began >= kBackOffReset) facts->second.crashes = 0;
  facts->second.run = *run;
  facts->second.condemned = false;
  probes_.erase(name);
  scope_.spawn(release(run->key));
  note_back_off(name);
  stop_changed_.set();
  wake();
}

void PodWorker::note_back_off(const std::string& name) {
  const auto def = def_of(name);
  const ContainerFacts& facts = facts_.containers[name];
  if (!def || !pod_["metadata"]["deletionTimestamp"].is_null()) return;
  if (!should_restart(pod_, *def, *facts.run) || restart_delay(facts.crashes) == Duration{}) return;
  const auto& metadata = pod_["metadata"];
  event(field(*def), EventRecorder::Type::kWarning, "BackOff",
        "Back-off restarting failed container " + name + " in pod " + metadata["name"].str() + "_" +
            metadata["namespace"].str() + "(" + metadata["uid"].str() + ")");
}

io::Task<void> PodWorker::run() {
  if (services_.host.alive(pod_)) {
    const bool goes = !pod_["metadata"]["deletionTimestamp"].is_null();
    facts_.sandbox = goes ? SandboxState::kReady : SandboxState::kSettingUp;
    // Idempotent: finds volumes and network as they were. A pod that goes needs no more than is there.
    if (!goes) co_await set_up();
    for (const auto& def : list_containers(pod_)) {
      if (facts_.containers[def.name].running()) start_probes(def);
    }
  }
  while (!done_) {
    changed_.reset();
    const Moment now{services_.loop.now(), services_.loop.wall_now()};
    Plan plan = plan_pod(pod_, facts_, now);
    wanted_status_ = std::move(plan.status);
    status_changed_.set();
    for (const auto& action : plan.actions) carry_out(action);
    if (done_) break;
    io::TimerId timer = 0;
    if (plan.wake_at) timer = services_.loop.add_timer(*plan.wake_at, [this] { wake(); });
    struct Cancel {
      io::Loop& loop;
      io::TimerId id;
      ~Cancel() { loop.cancel_timer(id); }
    } cancel{services_.loop, timer};
    co_await changed_.wait();
  }
}

void PodWorker::carry_out(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kSetUpSandbox:
      facts_.sandbox = SandboxState::kSettingUp;
      scope_.spawn(set_up());
      break;
    case Action::Kind::kStart:
      facts_.containers[action.container].work = Work::kStarting;
      starts_[action.container] = std::make_unique<io::TaskScope>(services_.loop);
      starts_[action.container]->spawn(start(action.container));
      break;
    case Action::Kind::kStop:
      facts_.containers[action.container].work = Work::kStopping;
      scope_.spawn(stop(action.container, action.grace, action.why));
      break;
    case Action::Kind::kTearDown:
      facts_.sandbox = SandboxState::kTearingDown;
      scope_.spawn(tear_down());
      break;
    case Action::Kind::kFinish:
      if (std::exchange(done_, true)) break;
      scope_.spawn(finish());
      break;
  }
}

io::Task<void> PodWorker::set_up() {
  auto ground = co_await services_.host.set_up(pod_);
  if (ground) {
    ground_ = std::move(*ground);
    facts_.ip = ground_.ip;
    facts_.sandbox_number = ground_.sandbox_number;
    facts_.started = ground_.started.value_or(facts_.started);
    facts_.sandbox = SandboxState::kReady;
    sandbox_failures_ = 0;
  } else {
    const auto code = ground.error().code;
    const bool mount =
        code == Code::kNotFound || code == Code::kInvalidArgument || code == Code::kUnimplemented;
    const auto& message = ground.error().message;
    event("", EventRecorder::Type::kWarning, mount ? "FailedMount" : "FailedCreatePodSandBox",
          mount ? message : "Failed to create pod sandbox: " + message);
    facts_.sandbox = SandboxState::kNone;
    facts_.sandbox_retry_at = services_.loop.now() + mount_retry(++sandbox_failures_);
  }
  wake();
}

io::Task<void> PodWorker::refresh_volumes() {
  for (;;) {
    co_await io::sleep(services_.loop, kRefreshVolumes);
    if (facts_.sandbox == SandboxState::kReady) {
      co_await services_.host.refresh(pod_);
    }
  }
}

io::Task<void> PodWorker::tear_down() {
  probes_.clear();
  const MonotonicTime deadline = services_.loop.now() + kSendRest;
  Result<void> torn;
  for (;;) {
    const bool hurried = facts_.object_gone || grace_period(pod_) == Duration{};
    const bool late = services_.loop.now() >= std::min(deadline, stop_by_);
    const Unsent unsent = hurried || late ? Unsent::kDrop : Unsent::kKeep;
    torn = co_await services_.host.tear_down(pod_, unsent);
    if (torn || torn.error().code != Code::kUnavailable || unsent == Unsent::kDrop) break;
    co_await io::sleep(services_.loop, kSendRestCheck);
  }
  if (!torn)
    log_warn("pod not torn down cleanly",
             {{"pod", pod_["metadata"]["name"].str()}, {"error", torn.error().message}});
  facts_.sandbox = SandboxState::kGone;
  wake();
}

// The last status is told before the object goes: who watches sees how the pod ended.
io::Task<void> PodWorker::finish() {
  const std::string path = pod_path(pod_);
  const json::Value uid = pod_["metadata"]["uid"];
  const json::Value options = json::Value::object({{"apiVersion", "v1"},
                                                   {"kind", "DeleteOptions"},
                                                   {"gracePeriodSeconds", 0},
                                                   {"preconditions", json::Value::object({{"uid", uid}})}});
  while (!facts_.object_gone) {
    if (!(written_status_ == wanted_status_)) {
      const json::Value patch = status_patch(pod_, wanted_status_);
      auto told = co_await services_.api.patch(path + "/status", kube::PatchType::kStrategicMerge, patch);
      static_cast<void>(told);
    }
    auto removed = co_await services_.api.remove(path, options);
    if (removed || removed.error().code == Code::kNotFound || removed.error().code == Code::kConflict) break;
    co_await io::sleep(services_.loop, kStatusRetry);
  }
  for (const auto& run : services_.runtime.list(uid.str())) {
    auto removed = co_await services_.runtime.remove(run.key);
  }
  for (int failures = 1;; ++failures) {
    auto removed = co_await services_.host.remove(pod_);
    if (removed) break;
    log_warn("pod not removed cleanly", {{"pod", path}, {"error", removed.error().message}});
    const Duration pause = mount_retry(failures);
    co_await io::sleep(services_.loop, pause);
  }
  services_.loop.post([finished = finished_] { finished(); });
}

io::Task<void> PodWorker::release(ContainerKey key) {
  auto released = co_await services_.runtime.release(key);
  if (!released)
    log_warn("container not released", {{"container", key.name}, {"error", released.error().message}});
  // Only the last two attempts have a use: the status shows them and `logs --previous` reads them.
  for (const auto& run : services_.runtime.list(key.pod_uid)) {
    if (run.key.name != key.name || run.key.attempt >= key.attempt - 1) continue;
    auto removed = co_await services_.runtime.remove(run.key);
  }
  co_await services_.host.remove_output(pod_, key.name, key.attempt - 1);
}

// One write at a time, always of the newest status.
io::Task<void> PodWorker::write_statuses() {
  for (;;) {
    status_changed_.reset();
    if (done_ || facts_.object_gone) co_return;
    if (!wanted_status_.is_null() && !(wanted_status_ == written_status_)) {
      const json::Value status = wanted_status_;
      const json::Value patch = status_patch(pod_, status);
      const std::string path = pod_path(pod_) + "/status";
      auto written = co_await services_.api.patch(path, kube::PatchType::kStrategicMerge, patch);
      if (written) {
        written_status_ = status;
        continue;
      }
      if (written.error().code != Code::kNotFound) {
        co_await io::sleep(services_.loop, kStatusRetry);
      }
      if (written.error().code != Code::kNotFound) continue;
    }
    co_await status_changed_.wait();
  }
}

}  // namespace skiff::node
