// One instance of Skiff: a data directory with its settings, keys and state.
//
// DATA/instance.json holds what must not change between starts; DATA/pki the authorities and the certificates
// (keys with mode 0600); DATA/kubeconfig is for people, DATA/token for git and the skiff CLI. Made by the
// first `skiff up`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "net/certificates.h"
#include "node/services/ruleset.h"

namespace skiff {

struct Ports {
  uint16_t http = 80;
  uint16_t https = 443;
  uint16_t kube = 6443;
};

// What the edge believes and where it may go, as given on the command line; see edge/edge.h.
struct EdgeSettings {
  std::string trusted_proxies;   // networks, "10.0.0.0/8,192.0.2.7"
  bool proxy_protocol = false;   // they speak the PROXY protocol
  std::string allowed_backends;  // "192.0.2.7:8080": addresses that are no pods
};

struct Instance {
  std::string data;    // absolute
  std::string id;      // six characters of [a-z0-9]; tells instances of one machine apart
  std::string domain;  // "localhost"
  std::string node_name;
  Ports ports;
  EdgeSettings edge;
  node::PodEgress pod_egress = node::PodEgress::kRestricted;
  uint16_t platform_port = 0;  // loopback only
  std::string pod_range;       // "10.42.0.0/16"
  std::string service_range;
  std::string gateway;     // the bridge's address in the pod range: the node, as pods see it
  std::string log_token;   // shown by the API server to the node's log endpoint
  std::string edge_token;  // shown by the edge to the platform's log endpoint

  std::string path(const std::string& name) const { return data + "/" + name; }
  // PEM of the cluster's authority: it signs the API server's certificate and those of its clients.
  Result<std::string> authority() const;
  // A key pair of DATA/pki: "server", "node", "edge", "platform", "admin"; "edge-ca", the authority of what
  // the edge serves over HTTPS, which the API server does not know.
  Result<net::KeyPair> key_pair(const std::string& name) const;
  // The password of git and the CLI.
  Result<std::string> token() const;
  std::string node_log_socket() const { return data + "/run/node-logs.sock"; }
};

// What the command line asks for; an empty or zero member keeps what the instance has.
struct InstanceRequest {
  std::string data;
  std::string domain;
  Ports ports{0, 0, 0};
  std::optional<std::string> trusted_proxies, allowed_backends;  // "" takes them back
  std::optional<bool> proxy_protocol;
  std::optional<node::PodEgress> pod_egress;
};

// Opens the instance, or makes it: keys, tokens, ranges. Conflict when its ranges are another's (machine.h).
Result<Instance> open_or_create_instance(const InstanceRequest& request, Random& random, WallTime now);
// NotFound when there is none, Forbidden when it is another user's; both say what to do.
Result<Instance> open_instance(const std::string& data);
std::unexpected<Error> refused_access(const std::string& data);
// "--data", else SKIFF_DATA, else /var/lib/skiff.
std::string default_data_directory();

}  // namespace skiff
