// The route table: which host and path lead to which app, and what is known of the app's pods.
//
// Immutable once made: the control thread builds a new one for each change and workers swap the pointer.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "edge/backend_rules.h"

namespace skiff::edge {

struct Endpoint {
  std::string ip;
  uint16_t port = 0;
  std::string dyno;  // "web.1", or the pod's name
  std::string key() const { return ip + " " + std::to_string(port); }
};

struct App {
  std::string name;           // Heroku's app name, or the namespace
  std::string log_namespace;  // "": no router lines
  std::vector<Endpoint> ready;
  std::vector<Endpoint> serving;  // terminating, yet still serving: used only when none is ready
  int starting = 0;               // pods on their way
  int crashed = 0;
  std::string refused;   // why an endpoint of its is not followed; "": none was refused
  bool outside = false;  // such an endpoint is outside the pods' range
  bool maintenance = false;
  bool blank = false;
  bool platform = false;  // the platform's own API: no 30 s limit
};

struct PathRoute {
  std::string path;
  enum class Type { kExact, kPrefix } type = Type::kPrefix;
  size_t app = 0;
  size_t added = 0;  // how many paths its host had before
};

struct HostHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct RouteTable {
  using Hosts = std::unordered_map<std::string, std::vector<PathRoute>, HostHash, std::equal_to<>>;
  std::vector<App> apps;
  // By host in lower case, without port; "" for an Ingress without a host. Longest path first.
  Hosts hosts;
  Hosts wildcards;  // ".example.org" for "*.example.org"
  // False before the cluster is known: a host that is not in the table may have an app all the same.
  bool complete = true;
  // What of the Ingresses is not followed, and why; for the edge's log.
  std::vector<std::string> refusals;

  // Names outside the cluster that Ingresses lead to, through Services of type ExternalName; of each
  // namespace at most kMaxExternalNamesOfNamespace.
  std::set<std::string> external_names;

  // `host` in lower case without port. Nothing when the host or path is unknown. A path that the host's owner
  // does not serve may lead to a wildcard or an Ingress without a host, but of the same namespace alone.
  const App* find(std::string_view host, std::string_view path) const;
};

// So that no namespace takes all that the edge follows (kMaxExternalNames).
inline constexpr size_t kMaxExternalNamesOfNamespace = 16;

// What names outside the cluster are known to stand for; a name that is not in it was not looked up yet.
using NameAddresses = std::map<std::string, std::vector<std::string>>;
// The objects the table is made from, by "namespace/name".
using Objects = std::map<std::string, json::Value>;
struct ClusterView {
  Objects ingresses, services, slices, pods, namespaces;
  NameAddresses names;
};
struct RouteOptions {
  std::string domain = "localhost";
  std::string api_host = "";  // "127.0.0.1"; "" when there is no platform
  uint16_t api_port = 0;
  BackendRules backends = {};
  std::string cluster_domain = "cluster.local";
};
// A host belongs to the namespace of the oldest Ingress that names it: those of other namespaces get no path
// of it; of two made in the same second the first by name has it. A path claimed twice belongs to the older
// Ingress. Takes time in proportion to the objects.
RouteTable make_routes(const ClusterView& view, const RouteOptions& options);

// "Shop.Example.org:8080" to "shop.example.org", in `buffer`, whose memory is used again.
std::string_view host_key(std::string_view host, std::string& buffer);

}  // namespace skiff::edge
