#include "kube/server/own_services.h"

#include "base/log.h"
#include "kube/server/service_range.h"

namespace skiff::kube {

namespace {

using json::Value;

constexpr int kDnsPort = 53;

// A Service with where it leads to. The order of members is that of the store.
struct OwnService {
  std::string name_space, name;
  Value labels;
  std::string address;
  Value ports;
  std::string target;  // address of the endpoint; "" for none
  Value target_ports;
};

Value port(const char* name, const char* protocol, int number) {
  return Value::object({{"name", name}, {"port", number}, {"protocol", protocol}});
}

Value service_port(const char* name, const char* protocol, int number, int target) {
  return Value::object({{"name", name}, {"protocol", protocol}, {"port", number}, {"targetPort", target}});
}

OwnService kubernetes(const ServerOptions& options) {
  constexpr int kHttps = 443;
  return {"default",
          "kubernetes",
          Value::object({{"component", "apiserver"}, {"provider", "kubernetes"}}),
          ServiceRange(options.service_range).kubernetes_address(),
          Value::array({service_port("https", "TCP", kHttps, options.secure_port)}),
          options.advertise_address,
          Value::array({port("https", "TCP", options.secure_port)})};
}

OwnService dns(const ServerOptions& options) {
  const std::string address = ServiceRange(options.service_range).dns_address();
  return {"kube-system",
          "kube-dns",
          Value::object({{"k8s-app", "kube-dns"},
                         {"kubernetes.io/cluster-service", "true"},
                         {"kubernetes.io/name", "CoreDNS"}}),
          address,
          Value::array({service_port("dns", "UDP", kDnsPort, kDnsPort),
                        service_port("dns-tcp", "TCP", kDnsPort, kDnsPort)}),
          address,  // the server listens on the Service's own
          Value::array({port("dns", "UDP", kDnsPort), port("dns-tcp", "TCP", kDnsPort)})};
}

Value metadata(const OwnService& own) {
  return Value::object({{"name", own.name}, {"namespace", own.name_space}, {"labels", own.labels}});
}

Value service_object(const OwnService& own) {
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata", metadata(own)},
       {"spec", Value::object({{"type", "ClusterIP"}, {"clusterIP", own.address}, {"ports", own.ports}})}});
}

Value endpoints_object(const OwnService& own) {
  Value about = metadata(own);
  // The slice is written beside it.
  about.edit("labels").set("endpointslice.kubernetes.io/skip-mirror", "true");
  const Value subset = Value::object(
      {{"addresses", Value::array({Value::object({{"ip", own.target}})})}, {"ports", own.target_ports}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Endpoints"},
                        {"metadata", about},
                        {"subsets", Value::array({subset})}});
}

Value slice_object(const OwnService& own) {
  Value about = metadata(own);
  about.set("labels", Value::object({{"kubernetes.io/service-name", own.name}}));
  const Value endpoint = Value::object(
      {{"addresses", Value::array({own.target})}, {"conditions", Value::object({{"ready", true}})}});
  return Value::object({{"apiVersion", "discovery.k8s.io/v1"},
                        {"kind", "EndpointSlice"},
                        {"metadata", about},
                        {"addressType", "IPv4"},
                        {"endpoints", Value::array({endpoint})},
                        {"ports", own.target_ports}});
}

// Creates `object`, or gives the stored one the `fields` of it.
io::Task<Result<void>> keep(Objects& objects, Target target, Value object, std::vector<std::string> fields) {
  const Value stored = objects.find(target);
  if (stored.is_null()) {
    target.name.clear();
    auto created = co_await objects.create(target, std::move(object), {});
    if (!created && created.error().code != Code::kAlreadyExists)
      co_return wrap(created.error(), "own services");
    co_return Result<void>();
  }
  bool same = true;
  for (const auto& field : fields) same &= stored[field] == object[field];
  if (same) co_return Result<void>();
  const auto change = [&](const Value& current) -> Result<Value> {
    Value out = current;
    for (const auto& field : fields) out.set(field, object[field]);
    return out;
  };
  auto changed = co_await objects.modify(target, change, {});
  if (!changed) co_return wrap(changed.error(), "own services");
  co_return Result<void>();
}

// An address can't change: a Service of another range, or of a version before, is made anew.
io::Task<Result<void>> keep_service(Objects& objects, const OwnService& own) {
  const Target target{objects.kind("", "services"), own.name_space, own.name};
  Value object = service_object(own);
  const Value stored = objects.find(target);
  if (!stored.is_null() && stored["spec"]["clusterIP"].str() != own.address) {
    auto removed = co_await objects.remove(target, {});
    if (!removed && removed.error().code != Code::kNotFound) co_return std::unexpected(removed.error());
  } else if (!stored.is_null()) {
    object.set("spec", stored["spec"]);
    object.edit("spec").set("ports", own.ports);
    // Nobody else's pods may answer here.
    object.edit("spec").erase("selector");
  }
  std::vector<std::string> fields = {"spec"};
  auto kept = co_await keep(objects, target, std::move(object), std::move(fields));
  co_return kept;
}

io::Task<Result<void>> keep_own(Objects& objects, OwnService own) {
  auto service = co_await keep_service(objects, own);
  SKIFF_CO_RETURN_IF_ERROR(service);
  if (own.target.empty()) co_return Result<void>();
  const Target endpoints{objects.kind("", "endpoints"), own.name_space, own.name};
  std::vector<std::string> subsets = {"subsets"};
  Value about = endpoints_object(own);
  auto listed = co_await keep(objects, endpoints, std::move(about), std::move(subsets));
  SKIFF_CO_RETURN_IF_ERROR(listed);
  const Target slices{objects.kind("discovery.k8s.io", "endpointslices"), own.name_space, own.name};
  std::vector<std::string> fields = {"endpoints", "ports"};
  Value slice = slice_object(own);
  auto sliced = co_await keep(objects, slices, std::move(slice), std::move(fields));
  co_return sliced;
}

}  // namespace

io::Task<Result<void>> keep_own_services(Objects& objects) {
  OwnService api = kubernetes(objects.options());
  auto kept = co_await keep_own(objects, std::move(api));
  SKIFF_CO_RETURN_IF_ERROR(kept);
  OwnService names = dns(objects.options());
  auto named = co_await keep_own(objects, std::move(names));
  // A Service of a version before may have the address: the name server answers all the same.
  if (!named) log_error("kube-system/kube-dns is missing", {{"error", named.error().message}});
  co_return Result<void>();
}

}  // namespace skiff::kube
