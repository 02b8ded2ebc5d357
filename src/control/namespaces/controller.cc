#include "control/namespaces/controller.h"

#include "control/namespaces/conditions.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kNamespaces = "/api/v1/namespaces";
constexpr Duration kLookAgain = std::chrono::milliseconds(200);  // while pods end and finalizers run

class NamespaceController final : public Controller {
 public:
  NamespaceController(Context context, Catalog& catalog)
      : loop_(context.loop),
        client_(context.client),
        caches_(context.caches),
        catalog_(catalog),
        events_(loop_, client_, "namespace-controller"),
        queue_(loop_, "namespace", [this](std::string key) { return sync(this, std::move(key)); }) {
    caches_.at(kNamespaces).on_change([this](const Value&, const Value& after) {
      if (is_deleting(after)) queue_.add(name_of(after));
    });
  }
  void open() override { queue_.open(); }

 private:
  static io::Task<SyncResult> sync(NamespaceController* self, std::string ns);
  // Tells the objects of one collection to go, and notes those that are there.
  static io::Task<void> empty_collection(NamespaceController* self, ResourceInfo resource, std::string ns,
                                         Remains* remains);
  // True when there was something new to tell: the change brings the next round.
  static io::Task<Result<bool>> tell(NamespaceController* self, Value space, Remains remains);
  static io::Task<SyncResult> finalize(NamespaceController* self, Value space);

  io::Loop& loop_;
  kube::Client& client_;
  Caches& caches_;
  Catalog& catalog_;
  EventRecorder events_;
  Reconciler queue_;
};

io::Task<void> NamespaceController::empty_collection(NamespaceController* self, ResourceInfo resource,
                                                     std::string ns, Remains* remains) {
  const auto path = path_of(resource.api, resource.plural, ns);
  auto listed = co_await self->client_.list(path, "");
  if (!listed) {
    // A kind that is not served holds nothing.
    if (listed.error().code != Code::kNotFound) remains->failures.push_back(listed.error().message);
    co_return;
  }
  std::vector<Action> actions;
  for (const auto& object : (*listed)["items"].items()) {
    for (const auto& finalizer : object["metadata"]["finalizers"].items())
      ++remains->finalizers[finalizer.str()];
    if (is_deleting(object)) continue;
    actions.push_back(
        remove(path + "/" + name_of(object), Value::object({{"propagationPolicy", "Background"}})));
  }
  if (const auto count = (*listed)["items"].size(); count > 0) {
    remains->objects[resource.plural + "." + resource.group()] = static_cast<int64_t>(count);
  }
  auto errors = co_await apply_parallel(self->loop_, self->client_, self->events_, std::move(actions));
  for (const auto& error : errors) {
    if (error) remains->failures.push_back(error->message);
  }
}

io::Task<Result<bool>> NamespaceController::tell(NamespaceController* self, Value space, Remains remains) {
  auto conditions = namespace_conditions(space, remains, self->loop_.wall_now());
  if (conditions == space["status"]["conditions"]) co_return false;
  const auto path = path_of("/api/v1", "namespaces", "", name_of(space)) + "/status";
  const auto patch = Value::object({{"status", Value::object({{"conditions", std::move(conditions)}})}});
  auto told = co_await self->client_.patch(path, kube::PatchType::kMerge, patch);
  if (!told && told.error().code != Code::kNotFound) co_return std::unexpected(told.error());
  co_return true;
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
  auto resources = self->catalog_.all();
  resources.push_back({"/api/v1", "events", "Event", true});
  Remains remains;
  for (const auto& resource : resources) {
    if (resource.namespaced) co_await empty_collection(self, resource, ns, &remains);
  }
  auto told = co_await tell(self, space, remains);
  if (!told) co_return std::unexpected(told.error());
  if (*told && remains.failures.empty()) co_return std::optional<Duration>(kLookAgain);
  if (!remains.failures.empty()) co_return fail(Code::kUnavailable, remains.failures.front());
  if (!remains.objects.empty()) co_return std::optional<Duration>(kLookAgain);
  const bool held = space["spec"]["finalizers"].size() > 0;
  if (!held) co_return std::optional<Duration>();
  auto finalized = co_await finalize(self, space);
  co_return finalized;
}

}  // namespace

std::unique_ptr<Controller> make_namespace_controller(Context context, Catalog& catalog) {
  return std::make_unique<NamespaceController>(context, catalog);
}

}  // namespace skiff::control
