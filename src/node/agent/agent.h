// The node agent: everything of this machine put together. One loop, one thread (blocking work in the loop's
// pool).
//
//   node::Agent agent(loop, network, api, options);
//   auto ready = co_await agent.start();   // adopts what runs, registers the node, follows the cluster
//   ...
//   // destruction stops the agent; containers go on and the next agent adopts them
//
// Killed at any moment it leaves nothing half-done that the next start() does not finish or undo.
#pragma once

#include <memory>
#include <string>

#include "io/loop.h"
#include "io/stream.h"
#include "net/http_server.h"
#include "node/api/cluster_api.h"
#include "node/network/addresses.h"
#include "node/services/ruleset.h"

namespace skiff::node {

// Of the loop's pool: long work takes two of a kind at once (pods' files, containers' files, image layers,
// disk use), and four are left for short work.
constexpr int kAgentThreads = 12;

struct AgentOptions {
  std::string data;            // DATA/node, absolute; made when missing
  std::string local_images;    // folder of OCI layouts for skiff.local/… images; "" is <data>/../images
  std::string layer_recipes;   // folder of the recipes of stack layers; "": there are none
  std::string machine_layers;  // folder where the machine's instances share ready stack layers; "": none
  std::string machine_stacks;  // the same for the stack; ""
  std::string node_name;       // also a label: lower case, a DNS name
  std::string instance;        // at most 6 characters of [a-z0-9]; tells instances on one machine apart
  std::string host_ip;  // the node's address as pods and status name it; "" is the bridge's (pods' gateway)
  PodEgress egress = PodEgress::kRestricted;
  std::vector<uint16_t> open_ports;  // TCP ports of the machine that pods reach all the same: the edge's
  ClusterRanges ranges;  // pods and services; the API server must allot from the same service range
  std::string cluster_domain = "cluster.local";
  io::Address log_address;  // where logs are served to the API server: unix socket or loopback
  std::string log_token;    // bearer token the API server shows there; "" only for unix sockets
  std::string conmon = "/usr/bin/conmon";
  std::string runtime = "/usr/bin/crun";
  // How long the condition DiskPressure outlives the pressure: new pods would fill the disk again.
  Duration pressure_hold = std::chrono::minutes(5);
};

class Agent {
 public:
  // `api` outlives the agent.
  Agent(io::Loop& loop, io::Network& network, ClusterApi& api, AgentOptions options);
  ~Agent();
  io::Task<Result<void>> start();
  // Pods with a worker.
  size_t pods() const;
  // The port or path where logs are served.
  const io::Address& log_address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Removes what an instance leaves on the machine when it is uninstalled: containers, interfaces, firewall
// table, cgroups, mounts. Not for `down`, after which pods should come back.
io::Task<Result<void>> remove_instance(io::Loop& loop, AgentOptions options);

}  // namespace skiff::node
