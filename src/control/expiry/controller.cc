#include "control/expiry/controller.h"

#include "control/expiry/plan.h"
#include "control/shared/applier.h"
#include "control/shared/reconciler.h"

namespace skiff::control {

namespace {

constexpr const char* kEvents = "/api/v1/events";

class EventExpiry final : public Controller {
 public:
  explicit EventExpiry(Context context)
      : loop_(context.loop),
        client_(context.client),
        events_(loop_, client_, "event-expiry"),
        queue_(loop_, "expiry", [this](std::string) { return sync(this); }) {}
  void open() override {
    queue_.open();
    queue_.add(kEvents);
  }

 private:
  static io::Task<SyncResult> sync(EventExpiry* self) {
    auto listed = co_await self->client_.list(kEvents, "");
    if (!listed) co_return std::unexpected(listed.error());
    auto plan = plan_expiry((*listed)["items"].items(), self->loop_.wall_now());
    auto applied = co_await apply_all(self->client_, self->events_, std::move(plan.actions));
    if (applied.error) co_return std::unexpected(*applied.error);
    co_return plan.again;
  }

  io::Loop& loop_;
  kube::Client& client_;
  EventRecorder events_;
  Reconciler queue_;
};

}  // namespace

std::unique_ptr<Controller> make_event_expiry(Context context) {
  return std::make_unique<EventExpiry>(context);
}

}  // namespace skiff::control
