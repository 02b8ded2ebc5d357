#include "control/controllers.h"

#include "base/log.h"
#include "control/deployment/controller.h"
#include "control/endpoints/controller.h"
#include "control/entrance/controller.h"
#include "control/expiry/controller.h"
#include "control/gc/controller.h"
#include "control/namespaces/controller.h"
#include "control/nodes/controller.h"
#include "control/replicaset/controller.h"
#include "control/scheduler/scheduler.h"
#include "control/serviceaccount/controller.h"
#include "io/sync.h"

namespace skiff::control {

Controllers::Controllers(io::Loop& loop, kube::Client& client, ControllersOptions options)
    : loop_(loop), client_(client), options_(std::move(options)) {}

Controllers::~Controllers() {
  stop();
}

void Controllers::start() {
  caches_ = std::make_unique<Caches>(loop_, client_);
  caches_->add_shared_indexes();
  catalog_ = std::make_unique<Catalog>(*caches_);
  const Context context{loop_, client_, *caches_};
  controllers_.push_back(make_deployment_controller(context));
  controllers_.push_back(make_replica_set_controller(context));
  controllers_.push_back(make_scheduler(context));
  controllers_.push_back(make_endpoints_controller(context));
  if (!options_.entrance.empty())
    controllers_.push_back(make_entrance_controller(context, options_.entrance));
  controllers_.push_back(make_service_account_controller(context, options_.root_ca));
  controllers_.push_back(make_garbage_collector(context, *catalog_));
  controllers_.push_back(make_namespace_controller(context, *catalog_));
  controllers_.push_back(make_node_controller(context));
  controllers_.push_back(make_event_expiry(context));
  caches_->start();
  scope_ = std::make_unique<io::TaskScope>(loop_);
  scope_->spawn(open_when_synced(this));
}

io::Task<void> Controllers::open_when_synced(Controllers* self) {
  constexpr Duration kPoll = std::chrono::milliseconds(5);
  // A kind that is not served must not keep the others waiting for ever.
  constexpr Duration kOptionalWait = std::chrono::seconds(5);
  const auto give_up = self->loop_.now() + kOptionalWait;
  while (!self->caches_->synced()) {
    if (self->loop_.now() > give_up && self->caches_->core_synced()) break;
    co_await io::sleep(self->loop_, kPoll);
  }
  self->running_ = true;
  for (auto& controller : self->controllers_) controller->open();
  log_info("controllers run");
}

void Controllers::stop() {
  running_ = false;
  scope_.reset();
  // In one step of the loop: no cache can call a controller in between.
  controllers_.clear();
  caches_.reset();
  catalog_.reset();
}

}  // namespace skiff::control
