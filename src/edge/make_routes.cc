#include <algorithm>
#include <functional>
#include <tuple>

#include "base/strings.h"
#include "edge/outside_names.h"
#include "edge/routes.h"

namespace skiff::edge {
namespace {

// As long as a label may be. Annotations may be of any length, and every route and router line carries these.
constexpr size_t kMaxFact = 63;

// "" when it is none that a line of the log can carry.
std::string fact(const json::Value& object, std::string_view key) {
  const auto& note = object["metadata"]["annotations"][key];
  std::string text = note.is_string() ? note.str() : object["metadata"]["labels"][key].str();
  const bool plain = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
  return plain && text.size() <= kMaxFact ? text : "";
}

const json::Value* find(const Objects& objects, const std::string& key) {
  const auto it = objects.find(key);
  return it == objects.end() ? nullptr : &it->second;
}

bool selects(const json::Value& selector, const json::Value& labels) {
  if (selector.size() == 0) return false;
  return std::ranges::all_of(selector.members(),
                             [&](const auto& want) { return labels[want.first] == want.second; });
}

bool crashed(const json::Value& pod) {
  if (pod["status"]["phase"].str() == "Failed") return true;
  for (const auto& status : pod["status"]["containerStatuses"].items()) {
    const auto& reason = status["state"]["waiting"]["reason"].str();
    if (reason == "CrashLoopBackOff" || status["state"].contains("terminated")) return true;
  }
  return false;
}

// The view with what is looked up again and again found by name.
struct Index {
  const ClusterView& view;
  const BackendRules& backends;
  std::unordered_map<std::string, std::vector<const json::Value*>> slices;  // by "namespace/service"
  // By address: the namespaces of the pods that have it. A pod that is ending has it until another pod does.
  std::unordered_map<std::string_view, std::vector<std::string_view>> pods, ending_pods;
};

Index make_index(const ClusterView& view, const BackendRules& backends) {
  Index index{view, backends, {}, {}, {}};
  for (const auto& [key, pod] : view.pods) {
    const auto& ip = pod["status"]["podIP"].str();
    const auto& phase = pod["status"]["phase"].str();
    if (ip.empty() || phase == "Succeeded" || phase == "Failed") continue;
    auto& holders = pod["metadata"].contains("deletionTimestamp") ? index.ending_pods : index.pods;
    holders[ip].push_back(pod["metadata"]["namespace"].str());
  }
  for (const auto& [key, slice] : view.slices) {
    const auto& meta = slice["metadata"];
    const auto& service = meta["labels"]["kubernetes.io/service-name"].str();
    index.slices[meta["namespace"].str() + "/" + service].push_back(&slice);
  }
  return index;
}

// Pods that are no endpoints yet: on their way up, or crashed.
void count_pods(const ClusterView& view, const std::string& ns, const json::Value& service, App& app) {
  const auto& selector = service["spec"]["selector"];
  const std::string prefix = ns + "/";
  for (auto it = view.pods.lower_bound(prefix); it != view.pods.end() && it->first.starts_with(prefix);
       ++it) {
    const json::Value& pod = it->second;
    const auto& meta = pod["metadata"];
    if (!selects(selector, meta["labels"])) continue;
    if (meta.contains("deletionTimestamp") || pod["status"]["phase"].str() == "Succeeded") continue;
    ++(crashed(pod) ? app.crashed : app.starting);
  }
}

std::string dyno_of(const ClusterView& view, const std::string& ns, const std::string& pod_name) {
  if (const auto* pod = find(view.pods, ns + "/" + pod_name)) {
    if (auto dyno = fact(*pod, "skiff.dev/dyno"); !dyno.empty()) return dyno;
  }
  return pod_name;
}

// The service's port by name or number: its name, by which slices know it; nothing when there is none.
const json::Value* service_port(const json::Value& service, const json::Value& wanted) {
  for (const auto& port : service["spec"]["ports"].items()) {
    const bool named = wanted["name"].is_string() && port["name"] == wanted["name"];
    const bool numbered = wanted["number"].is_int() && port["port"].as_int() == wanted["number"].as_int();
    if (named || numbered) return &port;
  }
  return nullptr;
}

uint16_t slice_port(const json::Value& slice, const std::string& name) {
  for (const auto& port : slice["ports"].items()) {
    if (port["name"].str() == name) return static_cast<uint16_t>(port["port"].as_int());
  }
  return 0;
}

// Null for an address that is nobody's.
const std::vector<std::string_view>* holders_of(const Index& index, const std::string& ip) {
  for (const auto* pods : {&index.pods, &index.ending_pods}) {
    if (const auto found = pods->find(ip); found != pods->end()) return &found->second;
  }
  return nullptr;
}

// True when the address may be connected to for an app of the namespace; else the app says why not.
bool may_connect(const Index& index, const std::string& ns, const std::string& ip, uint16_t port, App& app) {
  if (auto refusal = index.backends.refusal(ip, port); !refusal.empty()) {
    app.refused = std::move(refusal);
    app.outside = true;
    return false;
  }
  const std::string plain = parse_ip(ip)->text();
  const auto* holders = holders_of(index, plain);
  if (holders == nullptr || std::ranges::find(*holders, ns) != holders->end()) return true;
  app.refused = "endpoint " + plain + " is a pod of another namespace";
  return false;
}

// A name may lead to its namespace's pods and to what was allowed, not to whoever will get a free address.
bool may_connect_by_name(const Index& index, const std::string& ns, const std::string& ip, uint16_t port,
                         App& app) {
  if (!may_connect(index, ns, ip, port, app)) return false;
  const auto address = parse_ip(ip);
  if (!index.backends.pods || !index.backends.pods->contains(*address)) return true;
  if (holders_of(index, address->text()) != nullptr) return true;
  app.refused = "endpoint " + address->text() + " is no pod's";
  return false;
}

void add_endpoint(const Index& index, const std::string& ns, const json::Value& one, uint16_t port,
                  App& app) {
  const ClusterView& view = index.view;
  const auto& conditions = one["conditions"];
  const auto pod_name = one["targetRef"]["name"].str();
  const auto* pod = find(view.pods, ns + "/" + pod_name);
  const bool terminating = conditions["terminating"].as_bool() ||
                           (pod != nullptr && (*pod)["metadata"].contains("deletionTimestamp"));
  const bool ready = conditions["ready"].as_bool(true);
  const bool serving = conditions["serving"].as_bool(ready);
  if (!ready && !serving) return;
  for (const auto& address : one["addresses"].items()) {
    if (!may_connect(index, ns, address.str(), port, app)) continue;
    auto& list = ready && !terminating ? app.ready : app.serving;
    list.push_back({address.str(), port, dyno_of(view, ns, pod_name)});
  }
}

void add_endpoints(const Index& index, const std::string& ns, const std::string& service_name,
                   const std::string& port_name, App& app) {
  const auto found = index.slices.find(ns + "/" + service_name);
  if (found == index.slices.end()) return;
  for (const json::Value* slice : found->second) {
    const uint16_t port = slice_port(*slice, port_name);
    if (port == 0) continue;
    for (const auto& one : (*slice)["endpoints"].items()) add_endpoint(index, ns, one, port, app);
  }
}

// "web.shop.svc", with or without the cluster's domain, to "shop/web"; "" for names outside the cluster.
std::string service_of(std::string name, const RouteOptions& options) {
  if (name.ends_with('.')) name.pop_back();
  const std::string tail = ".svc." + to_lower(options.cluster_domain);
  name = to_lower(name);
  if (name.ends_with(tail)) name.resize(name.size() - tail.size() + std::string_view(".svc").size());
  const auto labels = split(name, '.');
  return labels.size() == 3 && labels[2] == "svc" ? labels[1] + "/" + labels[0] : "";
}

// What an Ingress leads to, filled into an App.
class BackendFiller {
 public:
  BackendFiller(const Index& index, const RouteOptions& options, OutsideNames& names, App& app)
      : index_(index), options_(options), names_(names), app_(app) {}

  // `ns` is the Ingress's namespace.
  void add(const std::string& ns, const std::string& name, const json::Value& wanted) {
    const auto* service = find(index_.view.services, ns + "/" + name);
    if (service == nullptr) return;
    const auto* port = service_port(*service, wanted);
    if ((*service)["spec"]["type"].str() == "ExternalName") return add_external(ns, *service, port, wanted);
    if (port == nullptr) return;
    add_endpoints(index_, ns, name, (*port)["name"].str(), app_);
    // Nobody has to wait for pods that are up and outside.
    if (app_.ready.empty() && !app_.outside) count_pods(index_.view, ns, *service, app_);
  }

 private:
  // Such a Service needs no ports: the Ingress's number is the port then.
  void add_external(const std::string& ns, const json::Value& service, const json::Value* port,
                    const json::Value& wanted) {
    json::Value number = wanted["number"];
    if (port != nullptr) number = (*port)["targetPort"].is_int() ? (*port)["targetPort"] : (*port)["port"];
    if (!number.is_int() || number.as_int() < 1 || number.as_int() > UINT16_MAX) return;
    const auto& name = service["spec"]["externalName"].str();
    const auto inside = service_of(name, options_);
    if (inside.empty()) return add_outside(ns, name, static_cast<uint16_t>(number.as_int()));
    const size_t slash = inside.find('/');
    if (inside.substr(0, slash) != ns) {
      app_.refused =
          "a Service of another namespace stands behind " + ns + "/" + service["metadata"]["name"].str();
      return;
    }
    if (++hops_ > kMaxHops) return;
    add(ns, inside.substr(slash + 1), json::Value::object({{"number", number}}));
  }

  void add_outside(const std::string& ns, const std::string& name, uint16_t port) {
    if (!names_.take(ns, name)) {
      app_.refused = "the namespace leads to too many names outside the cluster";
      app_.outside = true;
      return;
    }
    const auto known = index_.view.names.find(name);
    if (known == index_.view.names.end()) {
      ++app_.starting;
      return;
    }
    for (const auto& address : known->second) {
      if (may_connect_by_name(index_, ns, address, port, app_)) app_.ready.push_back({address, port, name});
    }
  }

  static constexpr int kMaxHops = 4;  // of Services that name Services
  const Index& index_;
  const RouteOptions& options_;
  OutsideNames& names_;
  App& app_;
  int hops_ = 0;
};

App make_app(const Index& index, const RouteOptions& options, OutsideNames& names, const json::Value& ingress,
             const json::Value& backend) {
  const ClusterView& view = index.view;
  const auto& ns = ingress["metadata"]["namespace"].str();
  App app;
  app.log_namespace = ns;
  app.name = ns;
  std::vector<const json::Value*> sources{&ingress};
  if (const auto* object = find(view.namespaces, ns)) sources.push_back(object);
  for (const auto* source : sources) {
    if (auto name = fact(*source, "skiff.dev/app"); !name.empty()) app.name = name;
    app.maintenance |= fact(*source, "skiff.dev/maintenance") == "true";
    app.blank |= fact(*source, "skiff.dev/blank") == "true";
  }
  BackendFiller(index, options, names, app)
      .add(ns, backend["service"]["name"].str(), backend["service"]["port"]);
  return app;
}

// What of the table's hosts belongs to whom while it is made.
class Claims {
 public:
  Claims(RouteTable& table, const RouteOptions& options) : table_(table) {
    for (const auto& host : platform_hosts(options)) owners_[host] = "";
  }
  // True when the host is, or becomes, the namespace's; else a refusal is noted.
  bool claim(const std::string& host, const json::Value& ingress) {
    const auto& meta = ingress["metadata"];
    const auto& ns = meta["namespace"].str();
    const auto [found, fresh] = owners_.try_emplace(to_lower(host), ns);
    if (fresh || found->second == ns) return true;
    const std::string whose = found->second.empty() ? "the platform" : "namespace " + found->second;
    const std::string shown = host.empty() ? "requests for any host" : "host " + host;
    table_.refusals.push_back("Ingress " + ns + "/" + meta["name"].str() + ": " + shown + " belongs to " +
                              whose);
    return false;
  }

  static std::vector<std::string> platform_hosts(const RouteOptions& options) {
    if (options.api_port == 0) return {};
    return {"localhost", "127.0.0.1", "[::1]", "api." + options.domain};
  }

 private:
  RouteTable& table_;
  std::unordered_map<std::string, std::string> owners_;  // namespace by host; "": the platform
};

void add_path(RouteTable& table, const std::string& host, const std::string& path, std::string_view type,
              size_t app) {
  const auto kind = type == "Exact" ? PathRoute::Type::kExact : PathRoute::Type::kPrefix;
  auto& hosts = host.starts_with("*.") ? table.wildcards : table.hosts;
  const std::string key = to_lower(host.starts_with("*.") ? host.substr(1) : host);
  auto& paths = hosts[key];
  paths.push_back({path.empty() ? "/" : path, kind, app, paths.size()});
}

// The apps that one Ingress leads to: paths with the same backend share one, as they may be thousands.
class Backends {
 public:
  Backends(RouteTable& table, std::function<App(const json::Value& backend)> make)
      : table_(table), make_(std::move(make)) {}
  size_t find(const json::Value& backend) {
    const auto [found, fresh] = known_.try_emplace(json::encode(backend), table_.apps.size());
    if (fresh) table_.apps.push_back(make_(backend));
    return found->second;
  }

 private:
  RouteTable& table_;
  std::function<App(const json::Value& backend)> make_;
  std::unordered_map<std::string, size_t> known_;
};

void add_platform(RouteTable& table, const RouteOptions& options) {
  if (options.api_port == 0) return;
  App api;
  api.name = "platform";
  api.platform = true;
  api.ready.push_back({options.api_host, options.api_port, "api"});
  for (const std::string& host : Claims::platform_hosts(options)) {
    table.hosts[host] = {{"/", PathRoute::Type::kPrefix, table.apps.size()}};
  }
  table.apps.push_back(std::move(api));
}

std::vector<const json::Value*> oldest_first(const Objects& objects) {
  using Aged = std::tuple<std::string, std::string, const json::Value*>;
  std::vector<Aged> aged;
  for (const auto& [key, object] : objects) {
    aged.emplace_back(object["metadata"]["creationTimestamp"].str(), key, &object);
  }
  std::ranges::sort(aged);
  std::vector<const json::Value*> sorted;
  for (const Aged& one : aged) sorted.push_back(std::get<2>(one));
  return sorted;
}

// Longest first; of equals the exact one, then the one added first.
void sort_paths(RouteTable::Hosts& hosts) {
  for (auto& [host, paths] : hosts) {
    std::ranges::sort(paths, [](const PathRoute& a, const PathRoute& b) {
      if (a.path.size() != b.path.size()) return a.path.size() > b.path.size();
      if (a.type != b.type) return a.type == PathRoute::Type::kExact;
      return a.added < b.added;
    });
  }
}

}  // namespace

RouteTable make_routes(const ClusterView& view, const RouteOptions& options) {
  RouteTable table;
  const Index index = make_index(view, options.backends);
  Claims claims(table, options);
  OutsideNames names(table);
  for (const json::Value* ingress : oldest_first(view.ingresses)) {
    const auto& spec = (*ingress)["spec"];
    Backends backends(table, [&](const json::Value& backend) {
      return make_app(index, options, names, *ingress, backend);
    });
    for (const auto& rule : spec["rules"].items()) {
      if (!claims.claim(rule["host"].str(), *ingress)) continue;
      for (const auto& path : rule["http"]["paths"].items()) {
        add_path(table, rule["host"].str(), path["path"].str(), path["pathType"].str(),
                 backends.find(path["backend"]));
      }
    }
    if (spec.contains("defaultBackend") && claims.claim("", *ingress)) {
      add_path(table, "", "/", "Prefix", backends.find(spec["defaultBackend"]));
    }
  }
  sort_paths(table.hosts);
  sort_paths(table.wildcards);
  add_platform(table, options);
  return table;
}

}  // namespace skiff::edge
