// What every controller gets: the loop, the client and the shared caches.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "kube/client/informer.h"

namespace skiff::control {

// One cache for each collection, shared by all controllers. Listeners and indexes come before start().
class Caches {
 public:
  Caches(io::Loop& loop, kube::Client& client) : loop_(loop), client_(client) {}
  kube::Informer& at(const std::string& path) {
    auto& slot = informers_[path];
    if (!slot) slot = std::make_unique<kube::Informer>(loop_, client_, path);
    return *slot;
  }
  kube::Informer& pods() { return at("/api/v1/pods"); }
  kube::Informer& nodes() { return at("/api/v1/nodes"); }
  kube::Informer& replica_sets() { return at("/apis/apps/v1/replicasets"); }
  kube::Informer& deployments() { return at("/apis/apps/v1/deployments"); }
  // Ends the watch of a collection that is no longer served. Nobody else may hold it.
  void drop(const std::string& path) { informers_.erase(path); }
  // Also adds the indexes that several controllers use.
  void add_shared_indexes();
  void start() {
    for (auto& [path, informer] : informers_) informer->start();
  }
  bool synced() const {
    for (const auto& [path, informer] : informers_) {
      if (!informer->has_synced()) return false;
    }
    return true;
  }
  // Without these no decision is safe.
  bool core_synced() {
    return pods().has_synced() && nodes().has_synced() && replica_sets().has_synced() &&
           deployments().has_synced();
  }

 private:
  io::Loop& loop_;
  kube::Client& client_;
  std::map<std::string, std::unique_ptr<kube::Informer>> informers_;
};

// Index of pods and ReplicaSets: the uid of the controlling owner, or "orphan/<namespace>".
inline constexpr const char* kByController = "controller";
// Those of this owner, and the orphans of its namespace.
std::vector<json::Value> candidates_of(const kube::Informer& children, const json::Value& owner);

struct Context {
  io::Loop& loop;
  kube::Client& client;
  Caches& caches;
};

class Controller {
 public:
  virtual ~Controller() = default;
  // The caches are complete: begin.
  virtual void open() = 0;
};

}  // namespace skiff::control
