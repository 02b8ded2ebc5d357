#include "control/replicaset/controller.h"

#include <algorithm>

#include "control/replicaset/expectations.h"
#include "control/replicaset/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"
#include "kube/selector/selector.h"

namespace skiff::control {

namespace {

// A sync goes through all pods of the set: 1,000 of them are looked at ten times a second.
constexpr Duration kRestForEachPod = std::chrono::microseconds(100);

class ReplicaSetController final : public Controller {
 public:
  explicit ReplicaSetController(Context context)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        events_(loop_, client_, "replicaset-controller"),
        queue_(loop_, "replicaset", [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.replica_sets().on_change([this](const Value& before, const Value& after) {
      queue_.add(key_of(after.is_null() ? before : after));
    });
    caches_.pods().on_change([this](const Value& before, const Value& after) { on_pod(before, after); });
  }
  void open() override { queue_.open(); }

 private:
  void on_pod(const Value& before, const Value& after);
  void wake_owner(const Value& pod);
  std::vector<Value> siblings_of(const Value& set) const;
  static io::Task<SyncResult> sync(ReplicaSetController* self, std::string key);
  static io::Task<SyncFailure> create_pods(ReplicaSetController* self, Value set, int64_t count);
  static io::Task<SyncFailure> delete_pods(ReplicaSetController* self, Value set, std::vector<Value> victims);
  static io::Task<SyncResult> write_status(ReplicaSetController* self, std::string key, SyncFailure failure);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  Expectations expectations_;
  Reconciler queue_;
};

// The key of the ReplicaSet that controls this pod, or "".
std::string owner_key(const Value& pod) {
  const auto& owner = controller_ref(pod);
  return owner["kind"].str() == "ReplicaSet" ? namespace_of(pod) + "/" + owner["name"].str() : "";
}

void ReplicaSetController::on_pod(const Value& before, const Value& after) {
  const auto& pod = after.is_null() ? before : after;
  const auto key = owner_key(pod);
  if (!key.empty()) {
    if (before.is_null()) expectations_.observe_create(key);
    if (after.is_null() || is_deleting(after)) expectations_.observe_delete(key, uid_of(pod));
  }
  wake_owner(pod);
  if (!before.is_null() && !after.is_null() && owner_key(before) != key) wake_owner(before);
}

void ReplicaSetController::wake_owner(const Value& pod) {
  if (const auto key = owner_key(pod); !key.empty()) {
    queue_.add(key);
    return;
  }
  if (!controller_ref(pod).is_null()) return;
  for (const auto& set : caches_.replica_sets().list(namespace_of(pod))) {
    auto selector = kube::LabelSelector::from_object(set["spec"]["selector"]);
    if (selector && selector->matches(pod["metadata"]["labels"])) queue_.add(key_of(set));
  }
}

std::vector<Value> ReplicaSetController::siblings_of(const Value& set) const {
  std::vector<Value> sets{set};
  if (const auto& owner = controller_ref(set); !owner.is_null()) {
    sets = caches_.replica_sets().list_index(kByController, owner["uid"].str());
  }
  std::vector<Value> out;
  for (const auto& sibling : sets) {
    for (auto& pod : caches_.pods().list_index(kByController, uid_of(sibling))) {
      if (is_pod_active(pod)) out.push_back(std::move(pod));
    }
  }
  return out;
}

io::Task<SyncResult> ReplicaSetController::sync(ReplicaSetController* self, std::string key) {
  const Value set = self->caches_.replica_sets().find_key(key);
  if (set.is_null()) {
    self->expectations_.forget(key);
    co_return std::optional<Duration>();
  }
  ReplicaSetView view{set, candidates_of(self->caches_.pods(), set), {}, true};
  self->queue_.rest(key, rest_for(view.pods.size(), kRestForEachPod));
  view.settled = self->expectations_.settled(key, self->loop_.now());
  const auto wanted = size_t(std::max<int64_t>(0, set["spec"]["replicas"].as_int(1)));
  if (view.pods.size() > wanted) view.sibling_pods = self->siblings_of(set);
  auto plan = plan_replica_set(view, self->loop_.wall_now());
  if (!plan.claims.empty()) {
    auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.claims));
    if (applied.error) co_return std::unexpected(*applied.error);
    co_return std::optional<Duration>();
  }
  SyncFailure failure;
  if (plan.create > 0) failure = co_await create_pods(self, set, plan.create);
  if (!plan.victims.empty()) failure = co_await delete_pods(self, set, std::move(plan.victims));
  const auto failed = failure.message;
  auto written = co_await write_status(self, key, std::move(failure));
  if (!failed.empty()) co_return fail(Code::kUnavailable, failed);
  co_return written;
}

// Batches of 1, 2, 4, ...: a quota or a bad template fails once, not 500 times.
io::Task<SyncFailure> ReplicaSetController::create_pods(ReplicaSetController* self, Value set,
                                                        int64_t count) {
  const auto key = key_of(set);
  const auto path = path_of("/api/v1", "pods", namespace_of(set));
  self->expectations_.expect_creates(key, count, self->loop_.now());
  SyncFailure failure;
  int64_t left = count;
  for (int64_t size = 1; left > 0 && failure.reason.empty(); size *= 2) {
    const auto batch = std::min(size, left);
    std::vector<Action> actions;
    for (int64_t i = 0; i < batch; ++i) {
      auto pod = make_pod(set);
      // The name is chosen here, so that the event can tell it.
      pod.edit("metadata").set("name", name_of(set) + "-" + make_name_suffix(self->loop_.random()));
      actions.push_back(create(path, std::move(pod)));
    }
    const auto made = actions;
    auto errors = co_await apply_parallel(self->loop_, self->client_, self->events_, std::move(actions));
    left -= batch;
    for (size_t i = 0; i < errors.size(); ++i) {
      if (!errors[i]) {
        self->events_.record(set, "Normal", "SuccessfulCreate", "Created pod: " + name_of(made[i].body));
        continue;
      }
      self->expectations_.observe_create(key);
      failure = {"FailedCreate", errors[i]->message};
      self->events_.record(set, "Warning", "FailedCreate", "Error creating: " + errors[i]->message);
    }
  }
  if (left > 0) self->expectations_.observe_create(key, left);
  co_return failure;
}

io::Task<SyncFailure> ReplicaSetController::delete_pods(ReplicaSetController* self, Value set,
                                                        std::vector<Value> victims) {
  const auto key = key_of(set);
  std::set<std::string> uids;
  std::vector<Action> actions;
  for (const auto& pod : victims) {
    uids.insert(uid_of(pod));
    actions.push_back(remove(path_of("/api/v1", "pods", namespace_of(pod), name_of(pod)),
                             Value::object({{"preconditions", Value::object({{"uid", uid_of(pod)}})}})));
  }
  self->expectations_.expect_deletes(key, std::move(uids), self->loop_.now());
  auto errors = co_await apply_parallel(self->loop_, self->client_, self->events_, std::move(actions));
  SyncFailure failure;
  for (size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i]) {
      self->events_.record(set, "Normal", "SuccessfulDelete", "Deleted pod: " + name_of(victims[i]));
      continue;
    }
    self->expectations_.observe_delete(key, uid_of(victims[i]));
    failure = {"FailedDelete", errors[i]->message};
    self->events_.record(set, "Warning", "FailedDelete", "Error deleting: " + errors[i]->message);
  }
  co_return failure;
}

// From the cache as it is now: what the writes above did is often visible already.
io::Task<SyncResult> ReplicaSetController::write_status(ReplicaSetController* self, std::string key,
                                                        SyncFailure failure) {
  const Value set = self->caches_.replica_sets().find_key(key);
  if (set.is_null()) co_return std::optional<Duration>();
  std::vector<Value> active;
  for (auto& pod : self->caches_.pods().list_index(kByController, uid_of(set))) {
    if (is_pod_active(pod)) active.push_back(std::move(pod));
  }
  auto plan = plan_replica_set_status(set, active, failure, self->loop_.wall_now());
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error) co_return std::unexpected(*applied.error);
  co_return plan.again;
}

}  // namespace

std::unique_ptr<Controller> make_replica_set_controller(Context context) {
  return std::make_unique<ReplicaSetController>(context);
}

}  // namespace skiff::control
