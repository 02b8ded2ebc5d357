#include "control/endpoints/controller.h"

#include <algorithm>

#include "control/endpoints/mirror.h"
#include "control/endpoints/plan.h"
#include "control/endpoints/slices.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"
#include "kube/selector/selector.h"

namespace skiff::control {

namespace {

constexpr const char* kServices = "/api/v1/services";
constexpr const char* kEndpoints = "/api/v1/endpoints";
constexpr const char* kSlices = "/apis/discovery.k8s.io/v1/endpointslices";
// Each change rewrites an object with all pods of the Service: 1,000 pods are told of together, once a
// second.
constexpr Duration kRestForEachPod = std::chrono::milliseconds(1);

class EndpointsController final : public Controller {
 public:
  explicit EndpointsController(Context context)
      : client_(context.client),
        caches_(context.caches),
        events_(context.loop, client_, "endpoint-slice-controller"),
        queue_(context.loop, "endpoints", [this](std::string key) { return sync(this, std::move(key)); }) {
    for (const char* manager : {kManager, kMirrorManager}) {
      caches_.at(kSlices).add_index(manager, [manager](const Value& slice) {
        const auto& labels = slice["metadata"]["labels"];
        if (labels[kManagedBy].str() != manager) return std::vector<std::string>{};
        return std::vector{namespace_of(slice) + "/" + labels[kServiceName].str()};
      });
    }
    caches_.at(kServices).on_change([this](const Value& before, const Value& after) {
      queue_.add(key_of(after.is_null() ? before : after));
    });
    caches_.at(kSlices).on_change([this](const Value& before, const Value& after) {
      const auto& slice = after.is_null() ? before : after;
      const auto& service = slice["metadata"]["labels"][kServiceName].str();
      if (!service.empty()) queue_.add(namespace_of(slice) + "/" + service);
    });
    caches_.at(kEndpoints).on_change([this](const Value& before, const Value& after) {
      const auto key = key_of(after.is_null() ? before : after);
      // Endpoints may come before their Service, made by its user.
      if (!caches_.at(kServices).find_key(key).is_null()) queue_.add(key);
    });
    caches_.pods().on_change([this](const Value& before, const Value& after) {
      wake_services(after.is_null() ? before : after);
      const bool moved = !before.is_null() && !after.is_null() &&
                         !(before["metadata"]["labels"] == after["metadata"]["labels"]);
      if (moved) wake_services(before);
    });
  }
  void open() override { queue_.open(); }

 private:
  void wake_services(const Value& pod) {
    if (pod.is_null()) return;
    for (const auto& service : caches_.at(kServices).list(namespace_of(pod))) {
      const auto& selector = service["spec"]["selector"];
      if (selector.empty()) continue;
      if (kube::LabelSelector::from_map(selector).matches(pod["metadata"]["labels"]))
        queue_.add(key_of(service));
    }
  }
  static io::Task<SyncResult> sync(EndpointsController* self, std::string key);

  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  Reconciler queue_;
};

io::Task<SyncResult> EndpointsController::sync(EndpointsController* self, std::string key) {
  const Value service = self->caches_.at(kServices).find_key(key);
  const auto [ns, name] = split_key(key);
  if (service.is_null()) {
    // Slices go with their owner; Endpoints have none.
    const Value endpoints = self->caches_.at(kEndpoints).find_key(key);
    if (endpoints.is_null() || key == "default/kubernetes") co_return std::optional<Duration>();
    auto removed = co_await self->client_.remove(path_of("/api/v1", "endpoints", ns, name), Value());
    if (!removed && removed.error().code != Code::kNotFound) co_return std::unexpected(removed.error());
    co_return std::optional<Duration>();
  }
  const auto& slices = self->caches_.at(kSlices);
  const Value endpoints = self->caches_.at(kEndpoints).find_key(key);
  EndpointsView view{service, {}, slices.list_index(kManager, key), endpoints};
  const auto selector = kube::LabelSelector::from_map(service["spec"]["selector"]);
  for (auto& pod : self->caches_.pods().list(ns)) {
    if (selector.matches(pod["metadata"]["labels"])) view.pods.push_back(std::move(pod));
  }
  self->queue_.rest(key, rest_for(view.pods.size(), kRestForEachPod));
  auto plan = plan_mirror({service, endpoints, slices.list_index(kMirrorManager, key)});
  std::ranges::move(plan_endpoints(view).actions, std::back_inserter(plan.actions));
  auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
  if (applied.error) co_return std::unexpected(*applied.error);
  co_return std::optional<Duration>();
}

}  // namespace

std::unique_ptr<Controller> make_endpoints_controller(Context context) {
  return std::make_unique<EndpointsController>(context);
}

}  // namespace skiff::control
