#include "control/entrance/controller.h"

#include "control/entrance/plan.h"
#include "control/shared/applier.h"

namespace skiff::control {

namespace {

constexpr const char* kIngresses = "/apis/networking.k8s.io/v1/ingresses";
constexpr const char* kServices = "/api/v1/services";

class EntranceController final : public Controller {
 public:
  EntranceController(Context context, std::string entrance)
      : client_(context.client),
        caches_(context.caches),
        events_(context.loop, client_, "service-controller"),
        entrance_(std::move(entrance)),
        ingresses_(context.loop, "entrance of ingresses",
                   [this](std::string key) { return sync_ingress(this, std::move(key)); }),
        services_(context.loop, "entrance of services",
                  [this](std::string key) { return sync_service(this, std::move(key)); }) {
    caches_.at(kIngresses).on_change([this](const Value&, const Value& after) {
      if (!after.is_null()) ingresses_.add(key_of(after));
    });
    caches_.at(kServices).on_change([this](const Value&, const Value& after) {
      if (!after.is_null()) services_.add(key_of(after));
    });
  }
  void open() override {
    ingresses_.open();
    services_.open();
  }

 private:
  static io::Task<SyncResult> apply(EntranceController* self, Plan plan) {
    auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
    if (applied.error && applied.error->code != Code::kNotFound) co_return std::unexpected(*applied.error);
    co_return std::optional<Duration>();
  }
  static io::Task<SyncResult> sync_ingress(EntranceController* self, std::string key) {
    Plan plan = plan_ingress_entrance(self->caches_.at(kIngresses).find_key(key), self->entrance_);
    return apply(self, std::move(plan));
  }
  static io::Task<SyncResult> sync_service(EntranceController* self, std::string key) {
    Plan plan = plan_service_entrance(self->caches_.at(kServices).find_key(key), self->entrance_);
    return apply(self, std::move(plan));
  }

  kube::Client& client_;
  Caches& caches_;
  EventRecorder events_;
  std::string entrance_;
  Reconciler ingresses_, services_;
};

}  // namespace

std::unique_ptr<Controller> make_entrance_controller(Context context, std::string entrance) {
  return std::make_unique<EntranceController>(context, std::move(entrance));
}

}  // namespace skiff::control
