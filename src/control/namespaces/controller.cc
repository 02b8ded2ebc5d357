#include "control/namespaces/controller.h"

#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kNamespaces = "/api/v1/namespaces";
constexpr Duration kLookAgain = std::chrono::milliseconds(200);  // while pods end and finalizers run

class NamespaceController final : public Controller {
 public:
  NamespaceController(Context context, std::vector<ResourceInfo> resources)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        resources_(std::move(resources)),
        events_(loop_, client_, "namespace-controller"),
        queue_(loop_, "namespace", [this](std::string key) { return sync(this, std::move(key)); }) {
    resources_.push_back({"/api/v1", "events", "Event", true});
    caches_.at(kNamespaces).on_change([this](const Value&, const Value& after) {
      if (is_deleting(after)) queue_.add(name_of(after));
    });
  }
  void open() override { queue_.open(); }

 private:
  static io::Task<SyncResult> sync(NamespaceController* self, std::string ns);
  // The objects that were found and told to go.
  static io::Task<Result<size_t>> empty_collection(NamespaceController* self, ResourceInfo resource,
                                                   std::string ns);
  static io::Task<SyncResult> finalize(NamespaceController* self, Value space);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  std::vector<ResourceInfo> resources_;
  EventRecorder events_;
  Reconciler queue_;
};

io::Task<Result<size_t>> NamespaceController::empty_collection(NamespaceController* self,
                                                               ResourceInfo resource, std::string ns) {
  const auto path = path_of(resource.api, resource.plural, ns);
  auto listed = co_await self->client_.list(path, "");
  // A kind that is not served holds nothing.
  if (!listed && listed.error().code == Code::kNotFound) co_return size_t{0};
  if (!listed) co_return std::unexpected(listed.error());
  std::vector<Action> actions;
  for (const auto& object : (*listed)["items"].items()) {
    if (is_deleting(object)) continue;
    actions.push_back(
        remove(path + "/" + name_of(object), Value::object({{"propagationPolicy", "Background"}})));
  }
  const auto count = (*listed)["items"].size();
  auto errors = co_await apply_parallel(self->loop_, self->client_, self->events_, std::move(actions));
  for (const auto& error : errors) {
    if (error) co_return std::unexpected(*error);
  }
  co_return count;
}

io::Task<SyncResult> NamespaceController::finalize(NamespaceController* self, Value space) {
  auto kept = Value::array();
  for (const auto& finalizer : space["spec"]["finalizers"].items()) {
    if (finalizer.str() != "kubernetes") kept.push_back(finalizer);
  }
  space.edit("spec").set("finalizers", std::move(kept));
  const auto path = path_of("/api/v1", "namespaces", "", name_of(space)) + "/finalize";
  auto done = co_await self->client_.update(path, space);
  if (!done && done.error().code != Code::kNotFound) co_return std::unexpected(done.error());
  co_return std::optional<Duration>();
}

io::Task<SyncResult> NamespaceController::sync(NamespaceController* self, std::string ns) {
  const Value space = self->caches_.at(kNamespaces).find("", ns);
  if (space.is_null() || !is_deleting(space)) co_return std::optional<Duration>();
  size_t left = 0;
  const auto resources = self->resources_;
  for (const auto& resource : resources) {
    if (!resource.namespaced) continue;
    auto count = co_await empty_collection(self, resource, ns);
    if (!count) co_return std::unexpected(count.error());
    left += *count;
  }
  if (left > 0) co_return std::optional<Duration>(kLookAgain);
  const bool held = space["spec"]["finalizers"].size() > 0;
  if (!held) co_return std::optional<Duration>();
  auto finalized = co_await finalize(self, space);
  co_return finalized;
}

}  // namespace

std::unique_ptr<Controller> make_namespace_controller(Context context, std::vector<ResourceInfo> resources) {
  return std::make_unique<NamespaceController>(context, std::move(resources));
}

}  // namespace skiff::control
