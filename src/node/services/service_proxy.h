// Keeps the firewall in step with Services and EndpointSlices.
//
// The rules outlive the agent. Until both lists have come once the table that is there stays as it is: from
// half of them every Service would look as if it led nowhere. Where there is none it is made without
// Services, so that what pods may reach is bounded at once.
//
// Changes of one loop turn, and those that arrive while a ruleset is being applied, are applied together.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/scope.h"
#include "io/sync.h"
#include "node/api/cluster_api.h"
#include "node/services/firewall.h"
#include "node/services/object_index.h"
#include "node/services/ruleset.h"

namespace skiff::node {

// The Services and EndpointSlices of the cluster, by "namespace/name".
struct ServiceObjects {
  std::map<std::string, json::Value> services, slices;
  ObjectIndex index;  // of both
};

class ServiceProxy {
 public:
  // `facts` without the ports of Services. `firewall` is used in the loop's pool.
  ServiceProxy(io::Loop& loop, ClusterApi& api, RulesetInput facts, std::shared_ptr<Firewall> firewall);
  // See RulesetInput. Before start().
  void set_forwarding(Forwarding forwarding) { facts_.forwarding = std::move(forwarding); }

  // Begins to follow the cluster.
  io::Task<Result<void>> start();
  const ServiceObjects& objects() const { return objects_; }
  // True when the cluster has told of its Services once.
  bool services_known() const { return services_known_; }
  // And of their EndpointSlices.
  bool all_known() const { return services_known_ && slices_known_; }

 private:
  void on_change(std::map<std::string, json::Value>& kind, const ObjectChange& change);
  void index_change(const std::map<std::string, json::Value>& kind, const json::Value& after,
                    const std::string& key);
  void index_list(const std::map<std::string, json::Value>& kind);
  io::Task<void> run();
  io::Task<Result<void>> apply();
  io::Task<Result<void>> replace_table();
  io::Task<Result<void>> make_missing_table();

  io::Loop& loop_;
  ClusterApi& api_;
  RulesetInput facts_;  // without the ports of Services
  ServiceObjects objects_;
  bool services_known_ = false, slices_known_ = false;
  std::map<const void*, std::map<std::string, json::Value>> listing_;  // lists that are arriving
  std::shared_ptr<Firewall> firewall_;
  bool has_table_ = false;  // of this agent, or of one before it
  std::string applied_;     // with all Services
  io::Event changed_;
  io::TaskScope scope_;
};

}  // namespace skiff::node
