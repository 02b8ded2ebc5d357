#include "control/deployment/controller.h"

#include "control/deployment/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"
#include "kube/selector/selector.h"

namespace skiff::control {

namespace {

class DeploymentController final : public Controller {
 public:
  explicit DeploymentController(Context context)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        events_(loop_, client_, "deployment-controller"),
        queue_(loop_, "deployment", [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.deployments().on_change([this](const Value& before, const Value& after) {
      queue_.add(key_of(after.is_null() ? before : after));
    });
    caches_.replica_sets().on_change([this](const Value& before, const Value& after) {
      on_replica_set(after.is_null() ? before : after);
      const bool released =
          !after.is_null() && !before.is_null() && !(controller_ref(before) == controller_ref(after));
      if (released) on_replica_set(before);
    });
    caches_.pods().on_change([this](const Value& before, const Value& after) {
      if (after.is_null()) on_pod_gone(before);
    });
  }
  void open() override { queue_.open(); }

 private:
  void on_replica_set(const Value& set);
  void on_pod_gone(const Value& pod);
  DeploymentView view_of(const Value& deployment) const;
  static io::Task<SyncResult> sync(DeploymentController* self, std::string key);
  static io::Task<SyncResult> on_create_failed(DeploymentController* self, Value deployment, Action failed,
                                               Error error);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  Reconciler queue_;
};

void DeploymentController::on_replica_set(const Value& set) {
  const auto& owner = controller_ref(set);
  if (!owner.is_null()) {
    if (owner["kind"].str() == "Deployment") queue_.add(namespace_of(set) + "/" + owner["name"].str());
    return;
  }
  for (const auto& deployment : caches_.deployments().list(namespace_of(set))) {
    auto selector = kube::LabelSelector::from_object(deployment["spec"]["selector"]);
    if (selector && selector->matches(set["metadata"]["labels"])) queue_.add(key_of(deployment));
  }
}

// Recreate waits for the last pod of the old ReplicaSets.
void DeploymentController::on_pod_gone(const Value& pod) {
  const auto& owner = controller_ref(pod);
  if (owner["kind"].str() != "ReplicaSet") return;
  const auto& set = caches_.replica_sets().find(namespace_of(pod), owner["name"].str());
  const auto& deployment = caches_.deployments().find(namespace_of(pod), controller_ref(set)["name"].str());
  if (deployment["spec"]["strategy"]["type"].str() == "Recreate") queue_.add(key_of(deployment));
}

DeploymentView DeploymentController::view_of(const Value& deployment) const {
  DeploymentView view{deployment, candidates_of(caches_.replica_sets(), deployment), {}};
  if (deployment["spec"]["strategy"]["type"].str() != "Recreate") return view;
  for (const auto& set : view.replica_sets) {
    auto pods = caches_.pods().list_index(kByController, uid_of(set));
    view.pods.insert(view.pods.end(), pods.begin(), pods.end());
  }
  return view;
}

io::Task<SyncResult> DeploymentController::sync(DeploymentController* self, std::string key) {
  const Value deployment = self->caches_.deployments().find_key(key);
  if (deployment.is_null()) co_return std::optional<Duration>();
  auto plan = plan_deployment(self->view_of(deployment), self->loop_.wall_now());
  const auto actions = plan.actions;
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (!applied.error) co_return plan.again;
  if (actions[applied.done].verb == Action::Verb::kCreate) {
    auto handled = co_await on_create_failed(self, deployment, actions[applied.done], *applied.error);
    co_return handled;
  }
  co_return std::unexpected(*applied.error);
}

io::Task<SyncResult> DeploymentController::on_create_failed(DeploymentController* self, Value deployment,
                                                            Action failed, Error error) {
  Plan plan;
  if (error.code == Code::kAlreadyExists) {
    const auto path = failed.path + "/" + name_of(failed.body);
    auto existing = co_await self->client_.get(path);
    if (!existing) co_return std::unexpected(existing.error());
    plan = plan_collision(deployment, *existing);
  } else if (error.message.find("being terminated") == std::string::npos) {
    plan = plan_create_failure(deployment, error.message, self->loop_.wall_now());
  }
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error) co_return std::unexpected(*applied.error);
  co_return std::unexpected(error);
}

}  // namespace

std::unique_ptr<Controller> make_deployment_controller(Context context) {
  return std::make_unique<DeploymentController>(context);
}

}  // namespace skiff::control
