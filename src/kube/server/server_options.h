// What the API server is told, and who its callers are.
#pragma once

#include <string>
#include <vector>

#include "io/stream.h"
#include "net/certificates.h"

namespace skiff::kube {

struct UserInfo {
  std::string name;
  std::string uid;
  std::vector<std::string> groups;
  // What the proof of identity said besides: of a token its id and its pod.
  std::vector<std::pair<std::string, std::string>> extra = {};
  bool in_group(std::string_view group) const;
  bool anonymous() const { return name == "system:anonymous"; }
};

struct StaticToken {
  std::string token;  // secret
  UserInfo user;
};

// Where the node agent serves container logs.
struct NodeLogs {
  io::Network* network = nullptr;  // null: logs are not available
  io::Address address;
  std::string token;  // secret
};

struct ServerOptions {
  std::vector<StaticToken> tokens;
  net::KeyPair service_account_keys;  // signs and verifies service account tokens; empty: none are issued
  std::string issuer = "https://kubernetes.default.svc.cluster.local";
  std::string authority_pem;  // published to pods as kube-root-ca.crt
  std::string service_range = "10.96.0.0/16";
  // Where pods reach this server; "": nowhere, and default/kubernetes leads to nothing.
  std::string advertise_address;
  int secure_port = 6443;
  std::vector<int> machine_ports;  // others of the machine that no Service may have as node port
  NodeLogs node_logs;
};

}  // namespace skiff::kube
