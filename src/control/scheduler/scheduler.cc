#include "control/scheduler/scheduler.h"

#include <algorithm>
#include <map>
#include <vector>

#include "control/scheduler/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr Duration kRetryUnschedulable = std::chrono::seconds(60);

bool is_finished(const Value& pod) {
  const auto& phase = pod["status"]["phase"].str();
  return phase == "Succeeded" || phase == "Failed";
}

class Scheduler final : public Controller {
 public:
  explicit Scheduler(Context context)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        events_(loop_, client_, "default-scheduler"),
        queue_(loop_, "scheduler", [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.pods().on_change([this](const Value& before, const Value& after) { on_pod(before, after); });
    caches_.nodes().on_change([this](const Value& before, const Value& after) { on_node(before, after); });
  }
  void open() override {
    open_ = true;
    queue_.open();
    retry_waiting();
  }

 private:
  struct Held {
    std::string node;
    Usage usage;
  };
  // The oldest pod is tried first; of those of one second, the one that has waited longest.
  struct Waiting {
    std::string created;
    uint64_t turn = 0;
    auto operator<=>(const Waiting&) const = default;
  };
  void on_pod(const Value& before, const Value& after);
  void on_node(const Value& before, const Value& after);
  void hold(const std::string& uid, const std::string& node, const Usage& usage);
  void release(const std::string& uid);
  void wait(const Value& pod);
  void count(const std::string& node, const Usage& usage, int sign);
  void retry_waiting();
  static io::Task<SyncResult> sync(Scheduler* self, std::string key);
  static io::Task<SyncResult> note_unschedulable(Scheduler* self, Value pod, std::string message);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  // Also of nodes that are not registered: their pods may be known first.
  std::map<std::string, Usage> used_;
  std::map<std::string, Room> rooms_;       // of the registered nodes
  std::map<std::string, Held> held_;        // by pod uid: bound, or about to be
  std::map<std::string, Waiting> waiting_;  // by key: pods that fit nowhere
  uint64_t turns_ = 0;
  bool open_ = false;  // before, the caches name pods by their names' order: all of them wait
  Reconciler queue_;
};

void Scheduler::on_node(const Value& before, const Value& after) {
  if (after.is_null()) {
    rooms_.erase(name_of(before));
    return;
  }
  auto& room = rooms_[name_of(after)];
  room = Room(after);
  room.used = used_[name_of(after)];
  if (gives_hope(before, after)) retry_waiting();
}

void Scheduler::hold(const std::string& uid, const std::string& node, const Usage& usage) {
  release(uid);
  held_[uid] = {node, usage};
  count(node, usage, 1);
}

void Scheduler::count(const std::string& node, const Usage& usage, int sign) {
  auto& used = used_[node];
  used.add(usage, sign);
  if (const auto room = rooms_.find(node); room != rooms_.end()) room->second.used = used;
}

void Scheduler::release(const std::string& uid) {
  const auto found = held_.find(uid);
  if (found == held_.end()) return;
  count(found->second.node, found->second.usage, -1);
  held_.erase(found);
}

void Scheduler::on_pod(const Value& before, const Value& after) {
  const auto& pod = after.is_null() ? before : after;
  if (after.is_null() || is_finished(after)) {
    const bool held = held_.contains(uid_of(pod));
    release(uid_of(pod));
    waiting_.erase(key_of(pod));
    if (held) retry_waiting();
    return;
  }
  const auto& node = pod["spec"]["nodeName"].str();
  if (!node.empty()) {
    waiting_.erase(key_of(pod));
    if (!held_.contains(uid_of(pod))) hold(uid_of(pod), node, requests_of(pod));
  } else if (before.is_null() || !(before["spec"] == after["spec"])) {
    // New, or without a gate it had, or tolerating more.
    if (open_) {
      queue_.add(key_of(pod));
    } else {
      wait(pod);
    }
  }
}

void Scheduler::wait(const Value& pod) {
  waiting_.try_emplace(key_of(pod), pod["metadata"]["creationTimestamp"].str(), ++turns_);
}

void Scheduler::retry_waiting() {
  std::vector<std::pair<Waiting, std::string>> line;
  for (const auto& [key, waiting] : waiting_) line.emplace_back(waiting, key);
  std::ranges::sort(line);
  for (const auto& [waiting, key] : line) queue_.add(key);
}

io::Task<SyncResult> Scheduler::sync(Scheduler* self, std::string key) {
  const Value pod = self->caches_.pods().find_key(key);
  const bool ours = pod["spec"]["schedulerName"].str_or("default-scheduler") == "default-scheduler";
  const bool gated = pod["spec"]["schedulingGates"].size() > 0;
  if (pod.is_null() || !ours || gated || is_deleting(pod) || !pod["spec"]["nodeName"].str().empty()) {
    self->waiting_.erase(key);
    co_return std::optional<Duration>();
  }
  const auto placement = place_pod(pod, self->rooms_);
  if (placement.node.empty()) {
    self->wait(pod);
    auto noted = co_await note_unschedulable(self, pod, placement.message);
    co_return noted;
  }
  self->waiting_.erase(key);
  self->hold(uid_of(pod), placement.node, requests_of(pod));
  auto binding = Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Binding"},
       {"metadata",
        Value::object({{"name", name_of(pod)}, {"namespace", namespace_of(pod)}, {"uid", uid_of(pod)}})},
       {"target", Value::object({{"apiVersion", "v1"}, {"kind", "Node"}, {"name", placement.node}})}});
  const auto path = path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)) + "/binding";
  auto bound = co_await self->client_.create(path, binding);
  if (!bound) {
    self->release(uid_of(pod));
    if (bound.error().code == Code::kNotFound) co_return std::optional<Duration>();
    co_return std::unexpected(bound.error());
  }
  self->events_.record(pod, "Normal", "Scheduled",
                       "Successfully assigned " + key_of(pod) + " to " + placement.node);
  co_return std::optional<Duration>();
}

io::Task<SyncResult> Scheduler::note_unschedulable(Scheduler* self, Value pod, std::string message) {
  const auto& current = find_condition(pod, "PodScheduled");
  if (current["message"].str() != message) {
    self->events_.record(pod, "Warning", "FailedScheduling", message);
    auto condition = Value::object({{"type", "PodScheduled"},
                                    {"status", "False"},
                                    {"lastTransitionTime", format_rfc3339(self->loop_.wall_now())},
                                    {"reason", "Unschedulable"},
                                    {"message", message}});
    auto patch =
        Value::object({{"status", Value::object({{"conditions", Value::array({std::move(condition)})}})}});
    const auto path = path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)) + "/status";
    auto patched = co_await self->client_.patch(path, kube::PatchType::kStrategicMerge, patch);
    if (!patched && patched.error().code != Code::kNotFound) co_return std::unexpected(patched.error());
  }
  co_return std::optional<Duration>(kRetryUnschedulable);
}

}  // namespace

std::unique_ptr<Controller> make_scheduler(Context context) {
  return std::make_unique<Scheduler>(context);
}

}  // namespace skiff::control
