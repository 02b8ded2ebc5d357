#include "control/nodes/controller.h"

#include "control/nodes/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/leases";
constexpr const char* kByNode = "node";

class NodeController final : public Controller {
 public:
  explicit NodeController(Context context)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        events_(loop_, client_, "node-controller"),
        queue_(loop_, "node", [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.at(kLeases);
    caches_.pods().add_index(
        kByNode, [](const Value& pod) { return std::vector<std::string>{pod["spec"]["nodeName"].str()}; });
    caches_.nodes().on_change([this](const Value&, const Value& after) {
      if (!after.is_null()) queue_.add(name_of(after));
    });
  }
  void open() override { queue_.open(); }

 private:
  static io::Task<SyncResult> sync(NodeController* self, std::string name);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  std::map<std::string, WallTime> driven_since_;  // by node, while it has a NoExecute taint
  Reconciler queue_;
};

io::Task<SyncResult> NodeController::sync(NodeController* self, std::string name) {
  NodeView view;
  view.node = self->caches_.nodes().find("", name);
  if (!is_driving(view.node)) self->driven_since_.erase(name);
  if (view.node.is_null()) co_return std::optional<Duration>();
  if (is_driving(view.node)) {
    view.driven_since = self->driven_since_.try_emplace(name, self->loop_.wall_now()).first->second;
  }
  view.lease = self->caches_.at(kLeases).find("kube-node-lease", name);
  view.pods = self->caches_.pods().list_index(kByNode, name);
  auto plan = plan_node(view, self->loop_.wall_now());
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error) co_return std::unexpected(*applied.error);
  co_return plan.again;
}

}  // namespace

std::unique_ptr<Controller> make_node_controller(Context context) {
  return std::make_unique<NodeController>(context);
}

}  // namespace skiff::control
