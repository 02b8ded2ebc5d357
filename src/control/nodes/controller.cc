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
    caches_.nodes().on_change([this](const Value& before, const Value& after) {
      queue_.add(name_of(after.is_null() ? before : after));
    });
    // A pod may be known before its node, or be bound to one that has just gone.
    caches_.pods().on_change([this](const Value&, const Value& after) {
      const auto& node = after["spec"]["nodeName"].str();
      if (!node.empty() && caches_.nodes().find("", node).is_null()) queue_.add(node);
    });
  }
  void open() override { queue_.open(); }

 private:
  Plan decide(const std::string& name);
  static io::Task<SyncResult> sync(NodeController* self, std::string name);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  std::map<std::string, WallTime> driven_since_;  // by node, while it has a NoExecute taint
  std::map<std::string, WallTime> lost_since_;    // by name, while pods are bound to a node that is not there
  Reconciler queue_;
};

Plan NodeController::decide(const std::string& name) {
  const auto now = loop_.wall_now();
  NodeView view;
  view.node = caches_.nodes().find("", name);
  view.pods = caches_.pods().list_index(kByNode, name);
  const bool lost = view.node.is_null() && !view.pods.empty();
  if (!lost) lost_since_.erase(name);
  if (!is_driving(view.node)) driven_since_.erase(name);
  if (lost) return plan_lost_pods(view.pods, lost_since_.try_emplace(name, now).first->second, now);
  if (view.node.is_null()) return {};
  if (is_driving(view.node)) view.driven_since = driven_since_.try_emplace(name, now).first->second;
  view.lease = caches_.at(kLeases).find("kube-node-lease", name);
  return plan_node(view, now);
}

io::Task<SyncResult> NodeController::sync(NodeController* self, std::string name) {
  auto plan = self->decide(name);
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error) co_return std::unexpected(*applied.error);
  co_return plan.again;
}

}  // namespace

std::unique_ptr<Controller> make_node_controller(Context context) {
  return std::make_unique<NodeController>(context);
}

}  // namespace skiff::control
