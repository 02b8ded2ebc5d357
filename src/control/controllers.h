// All controllers and the scheduler, over one client and one set of caches.
//
// start() lists and watches; the controllers begin when every cache is complete. stop() (or the end of the
// object) drops what they are doing: every step is safe to repeat. All on the loop's thread.
//
//   Controllers controllers(loop, client, {.root_ca = ca_pem});
//   controllers.start();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/shared/context.h"
#include "control/shared/resources.h"

namespace skiff::control {

struct ControllersOptions {
  std::string root_ca = {};  // PEM; empty: no kube-root-ca.crt ConfigMaps
  // Address or name under which Ingresses and Services of type LoadBalancer are reached; empty: they wait.
  std::string entrance = {};
};

class Controllers {
 public:
  // The loop and the client outlive this.
  Controllers(io::Loop& loop, kube::Client& client, ControllersOptions options = {});
  ~Controllers();
  void start();
  void stop();
  // The caches were complete and the controllers run.
  bool running() const { return running_; }

 private:
  static io::Task<void> open_when_synced(Controllers* self);

  io::Loop& loop_;
  kube::Client& client_;
  ControllersOptions options_;
  bool running_ = false;
  std::unique_ptr<Caches> caches_;
  std::unique_ptr<Catalog> catalog_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  std::unique_ptr<io::TaskScope> scope_;
};

}  // namespace skiff::control
