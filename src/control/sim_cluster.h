// The whole engine in one process on a virtual clock: the real API server over a store in memory, the real
// controllers and scheduler, and a simulated fleet of nodes.
//
//   SimCluster cluster({.fleet = {.nodes = 100}});
//   cluster.start();
//   cluster.deploy("shop", "web", 10);
//   cluster.run_until([&] { return cluster.rolled_out(); }, 60s);
#pragma once

#include <memory>

#include "control/controllers.h"
#include "control/sim_fleet.h"
#include "io/sim_loop.h"
#include "kube/server/api_server.h"

namespace skiff::control {

struct SimClusterOptions {
  uint64_t seed = 1;
  FleetOptions fleet = {};
};

class SimCluster {
 public:
  explicit SimCluster(SimClusterOptions options);
  ~SimCluster();
  // The nodes are registered and the controllers run when it returns true.
  bool start();
  // A namespace with `count` replicas behind a Service; the image says which version runs.
  Result<void> deploy(const std::string& ns, const std::string& name, int64_t count);
  Result<void> set_image(const std::string& ns, const std::string& name, const std::string& image);
  // Every Deployment is complete.
  bool rolled_out() const;
  // False when `limit` of virtual time passes first.
  bool run_until(const std::function<bool()>& done, Duration limit) { return loop_.run_until(done, limit); }

  // The controllers' process dies and begins again; the API and the fleet go on meanwhile.
  void stop_controllers() { controllers_.stop(); }
  void start_controllers() { controllers_.start(); }

  io::SimLoop& loop() { return loop_; }
  kube::Client& client() { return *client_; }
  const SimFleet& fleet() const { return fleet_; }
  store::Store& store() { return *store_; }

 private:
  io::SimLoop loop_;
  std::unique_ptr<store::Store> store_;
  kube::Registry registry_;
  kube::ApiServer api_;
  std::unique_ptr<kube::Client> client_;
  kube::Informer deployments_;
  SimFleet fleet_;
  Controllers controllers_;
};

}  // namespace skiff::control
