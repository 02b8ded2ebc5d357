#include "control/gc/controller.h"

#include "base/strings.h"
#include "control/gc/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kByOwner = "owner";

// Keys are "<path of the collection>|<object key>".
class GarbageCollector final : public Controller {
 public:
  GarbageCollector(Context context, Catalog& catalog)
      : client_(context.client),
        caches_(context.caches),
        catalog_(catalog),
        events_(context.loop, client_, "garbage-collector-controller"),
        queue_(context.loop, "gc", [this](std::string key) { return sync(this, std::move(key)); }) {
    for (const auto& resource : catalog_.all()) watch(resource);
    catalog_.on_added([this](const ResourceInfo& resource) { on_resource(resource); });
    catalog_.on_removed([this](const ResourceInfo& resource) { caches_.drop(resource.path()); });
  }
  void open() override { queue_.open(); }

 private:
  void watch(const ResourceInfo& resource);
  void on_resource(const ResourceInfo& resource);
  void on_object(const std::string& path, const Value& before, const Value& after);
  void wake_owners(const Value& object);
  void wake_dependents(const std::string& uid);
  std::string path_in(const ResourceInfo& resource, const Value& object) const {
    return path_of(resource.api, resource.plural, namespace_of(object), name_of(object));
  }
  static io::Task<SyncResult> sync(GarbageCollector* self, std::string key);
  static io::Task<Result<OwnerState>> look_at_owner(GarbageCollector* self, Value ref, std::string ns);

  kube::Client& client_;
  Caches& caches_;
  Catalog& catalog_;
  EventRecorder events_;
  Reconciler queue_;
};

void GarbageCollector::watch(const ResourceInfo& resource) {
  auto& informer = caches_.at(resource.path());
  informer.add_index(kByOwner, [](const Value& object) {
    std::vector<std::string> uids;
    for (const auto& ref : object["metadata"]["ownerReferences"].items()) uids.push_back(ref["uid"].str());
    return uids;
  });
  informer.on_change([this, path = resource.path()](const Value& before, const Value& after) {
    on_object(path, before, after);
  });
}

// A kind that was not known until now: its objects are watched, and those that name it as owner are looked at
// again when its objects are.
void GarbageCollector::on_resource(const ResourceInfo& resource) {
  watch(resource);
  auto& informer = caches_.at(resource.path());
  informer.on_synced([this, path = resource.path()] {
    for (const auto& other : catalog_.all()) {
      for (const auto& [key, object] : caches_.at(other.path()).objects()) {
        for (const auto& ref : object["metadata"]["ownerReferences"].items()) {
          const auto* owner = catalog_.find(ref);
          if (owner && owner->path() == path) queue_.add(other.path() + "|" + key);
        }
      }
    }
  });
  informer.start();
}

void GarbageCollector::on_object(const std::string& path, const Value& before, const Value& after) {
  if (after.is_null()) {
    wake_dependents(uid_of(before));
    wake_owners(before);
    return;
  }
  const bool owned = after["metadata"]["ownerReferences"].size() > 0;
  const bool waits =
      is_deleting(after) && (has_finalizer(after, kForeground) || has_finalizer(after, kOrphan));
  const bool owners_changed =
      !(before["metadata"]["ownerReferences"] == after["metadata"]["ownerReferences"]);
  if (waits || (owned && (before.is_null() || owners_changed))) queue_.add(path + "|" + key_of(after));
  if (waits && !is_deleting(before)) wake_dependents(uid_of(after));
  if (!before.is_null() && owners_changed) wake_owners(before);
}

void GarbageCollector::wake_owners(const Value& object) {
  for (const auto& ref : object["metadata"]["ownerReferences"].items()) {
    const auto* resource = catalog_.find(ref);
    if (!resource) continue;
    const auto& name = ref["name"].str();
    const auto key = resource->namespaced ? namespace_of(object) + "/" + name : name;
    if (is_deleting(caches_.at(resource->path()).find_key(key))) queue_.add(resource->path() + "|" + key);
  }
}

void GarbageCollector::wake_dependents(const std::string& uid) {
  for (const auto& resource : catalog_.all()) {
    for (const auto& object : caches_.at(resource.path()).list_index(kByOwner, uid)) {
      queue_.add(resource.path() + "|" + key_of(object));
    }
  }
}

io::Task<Result<OwnerState>> GarbageCollector::look_at_owner(GarbageCollector* self, Value ref,
                                                             std::string ns) {
  const auto* resource = self->catalog_.find(ref);
  // A kind that is not watched here cannot be judged: its dependents stay.
  if (!resource || (resource->namespaced && ns.empty())) co_return OwnerState::kSolid;
  if (!resource->namespaced) ns.clear();
  const auto& name = ref["name"].str();
  Value owner = self->caches_.at(resource->path()).find(ns, name);
  if (uid_of(owner) != ref["uid"].str()) {
    const auto path = path_of(resource->api, resource->plural, ns, name);
    auto live = co_await self->client_.get(path);
    if (!live && live.error().code == Code::kNotFound) co_return OwnerState::kAbsent;
    if (!live) co_return std::unexpected(live.error());
    owner = *live;
  }
  if (uid_of(owner) != ref["uid"].str()) co_return OwnerState::kAbsent;
  co_return is_deleting(owner) && has_finalizer(owner, kForeground) ? OwnerState::kWaiting
                                                                    : OwnerState::kSolid;
}

io::Task<SyncResult> GarbageCollector::sync(GarbageCollector* self, std::string key) {
  const auto halves = split_once(key, "|");
  const std::string collection(halves.before);
  GarbageView view;
  view.object = self->caches_.at(collection).find_key(std::string(halves.after));
  if (view.object.is_null()) co_return std::optional<Duration>();
  const Value refs = view.object["metadata"]["ownerReferences"];
  const auto ns = namespace_of(view.object);
  for (size_t i = 0; i < refs.size(); ++i) {
    auto state = co_await look_at_owner(self, refs.at(i), ns);
    if (!state) co_return std::unexpected(state.error());
    view.owners.push_back(*state);
  }
  for (const auto& resource : self->catalog_.all()) {
    if (resource.path() == collection) view.path = self->path_in(resource, view.object);
    for (auto& object : self->caches_.at(resource.path()).list_index(kByOwner, uid_of(view.object))) {
      auto path = self->path_in(resource, object);
      view.dependents.push_back({std::move(object), std::move(path)});
    }
  }
  auto plan = plan_garbage(view);
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error && applied.error->code != Code::kNotFound) co_return std::unexpected(*applied.error);
  co_return std::optional<Duration>();
}

}  // namespace

std::unique_ptr<Controller> make_garbage_collector(Context context, Catalog& catalog) {
  return std::make_unique<GarbageCollector>(context, catalog);
}

}  // namespace skiff::control
