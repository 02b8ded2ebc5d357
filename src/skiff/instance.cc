#include "skiff/instance.h"

#include <fmt/core.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/json.h"
#include "base/strings.h"
#include "edge/backend_rules.h"
#include "io/durable.h"
#include "io/file.h"
#include "node/network/addresses.h"
#include "skiff/machine.h"
#include "skiff/ports.h"

namespace skiff {

namespace {

constexpr const char* kDefaultData = "/var/lib/skiff";
// Certificates are made anew when they end within this time, at a start of the instance.
constexpr auto kRenewBefore = std::chrono::hours(24 * 60);

// A kubeconfig reaches people and programs: admin rights, so mode 0600.
std::string kubeconfig_text(const Instance& instance, const std::string& authority,
                            const net::KeyPair& admin) {
  return fmt::format(
      "apiVersion: v1\nkind: Config\ncurrent-context: skiff\n"
      "clusters:\n- name: skiff\n  cluster:\n    server: https://127.0.0.1:{}\n"
      "    certificate-authority-data: {}\n"
      "users:\n- name: admin\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n"
      "contexts:\n- name: skiff\n  context:\n    cluster: skiff\n    user: admin\n",
      instance.ports.kube, base64_encode(authority), base64_encode(admin.certificate_pem),
      base64_encode(admin.key_pem));
}

std::string first_address(const std::string& range) {
  auto subnet = node::parse_subnet(range);
  return subnet ? node::format_ipv4(subnet->base + 1) : "127.0.0.1";
}

json::Value to_json(const Instance& instance) {
  return json::Value::object(
      {{"id", instance.id},
       {"domain", instance.domain},
       {"nodeName", instance.node_name},
       {"httpPort", instance.ports.http},
       {"httpsPort", instance.ports.https},
       {"kubePort", instance.ports.kube},
       {"platformPort", instance.platform_port},
       {"trustedProxies", instance.edge.trusted_proxies},
       {"proxyProtocol", instance.edge.proxy_protocol},
       {"allowedBackends", instance.edge.allowed_backends},
       {"podEgress", instance.pod_egress == node::PodEgress::kOpen ? "open" : "restricted"},
       {"podRange", instance.pod_range},
       {"serviceRange", instance.service_range},
       {"logToken", instance.log_token},
       {"edgeToken", instance.edge_token}});
}

Result<Instance> from_json(const std::string& data, const json::Value& value) {
  Instance instance;
  instance.data = data;
  instance.id = value["id"].str();
  instance.domain = value["domain"].str();
  instance.node_name = value["nodeName"].str();
  instance.ports.http = static_cast<uint16_t>(value["httpPort"].as_int());
  instance.ports.https = static_cast<uint16_t>(value["httpsPort"].as_int());
  instance.ports.kube = static_cast<uint16_t>(value["kubePort"].as_int());
  instance.platform_port = static_cast<uint16_t>(value["platformPort"].as_int());
  instance.edge.trusted_proxies = value["trustedProxies"].str();
  instance.edge.proxy_protocol = value["proxyProtocol"].as_bool();
  instance.edge.allowed_backends = value["allowedBackends"].str();
  if (value["podEgress"].str() == "open") instance.pod_egress = node::PodEgress::kOpen;
  instance.pod_range = value["podRange"].str();
  instance.service_range = value["serviceRange"].str();
  instance.log_token = value["logToken"].str();
  instance.edge_token = value["edgeToken"].str();
  if (instance.id.empty() || instance.pod_range.empty()) {
    return fail(Code::kDataLoss, data + "/instance.json is incomplete; restore it from a backup");
  }
  instance.gateway = first_address(instance.pod_range);
  return instance;
}

Result<std::string> absolute_path(const std::string& path) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(path));
  char resolved[PATH_MAX];
  if (!::realpath(path.c_str(), resolved)) return fail_errno(errno, path);
  return std::string(resolved);
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  std::string out;
  for (const char c : to_lower(name)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (fits) out += c;
  }
  return out.empty() || out.front() == '-' || out.back() == '-' ? "node1" : out.substr(0, 63);
}

Result<void> check_edge_settings(const EdgeSettings& settings) {
  if (auto proxies = parse_networks(settings.trusted_proxies); !proxies)
    return wrap(proxies.error(), "--trusted-proxies");
  if (auto backends = edge::parse_allowed_backends(settings.allowed_backends); !backends)
    return wrap(backends.error(), "--allow-backends");
  if (settings.proxy_protocol && settings.trusted_proxies.empty()) {
    return fail(Code::kInvalidArgument,
                "--proxy-protocol needs --trusted-proxies: the networks of the proxies that speak it");
  }
  return {};
}

Result<void> write_pair(const Instance& instance, const std::string& name, const net::KeyPair& pair) {
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(instance.path("pki/" + name + ".key"), pair.key_pem));
  return io::write_file_atomic(instance.path("pki/" + name + ".crt"), pair.certificate_pem, 0644);
}

bool pair_is_fresh(const Instance& instance, const std::string& name, const net::CertificateRequest& request,
                   WallTime now) {
  auto pair = instance.key_pair(name);
  if (!pair || !net::certificate_has_names(pair->certificate_pem, request)) return false;
  auto end = net::certificate_expiry(pair->certificate_pem);
  return end && *end > now + kRenewBefore;
}

net::CertificateRequest server_request(const Instance& instance) {
  net::CertificateRequest request;
  request.common_name = "kube-apiserver";
  request.dns_names = {"localhost",
                       "kubernetes",
                       "kubernetes.default",
                       "kubernetes.default.svc",
                       "kubernetes.default.svc.cluster.local",
                       instance.domain};
  request.ip_addresses = {"127.0.0.1", "::1", first_address(instance.service_range),
                          first_address(instance.pod_range)};
  request.for_server = true;
  return request;
}

net::CertificateRequest client_request(const std::string& name, const std::string& group) {
  net::CertificateRequest request;
  request.common_name = name;
  request.organizations = {group};
  return request;
}

// The authority as it is, or a new one.
Result<net::KeyPair> keep_authority(const Instance& instance, const std::string& name, net::Signs signs,
                                    WallTime now) {
  // Both halves: a first start may have been cut between them.
  if (auto kept = instance.key_pair(name)) return kept;
  auto made = net::make_authority(fmt::format("skiff-{}-{}", name, instance.id), now, signs);
  if (!made) return made;
  SKIFF_RETURN_IF_ERROR(write_pair(instance, name, *made));
  return made;
}

Result<void> make_keys(const Instance& instance, WallTime now) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(instance.path("pki")));
  auto authority = keep_authority(instance, "ca", net::Signs::kEverything, now);
  if (!authority) return std::unexpected(authority.error());
  auto serving = keep_authority(instance, "edge-ca", net::Signs::kServers, now);
  if (!serving) return std::unexpected(serving.error());
  const std::pair<const char*, net::CertificateRequest> wanted[] = {
      {"server", server_request(instance)},
      {"admin", client_request("admin", "system:masters")},
      {"node", client_request("system:node:" + instance.node_name, "system:nodes")},
      {"edge", client_request("system:skiff:edge", "system:skiff")},
      {"platform", client_request("system:skiff:platform", "system:skiff")},
      {"service-account", client_request("service-account-signer", "skiff:system")},
  };
  for (const auto& [name, request] : wanted) {
    if (pair_is_fresh(instance, name, request, now)) continue;
    auto signed_pair = net::sign_certificate(*authority, request, now);
    if (!signed_pair) return std::unexpected(signed_pair.error());
    SKIFF_RETURN_IF_ERROR(write_pair(instance, name, *signed_pair));
  }
  auto admin = instance.key_pair("admin");
  if (!admin) return std::unexpected(admin.error());
  auto key = net::sec1_key_pem(admin->key_pem);
  if (!key) return std::unexpected(key.error());
  admin->key_pem = std::move(*key);
  return io::write_file_atomic(instance.path("kubeconfig"),
                               kubeconfig_text(instance, authority->certificate_pem, *admin));
}

Instance new_instance(const std::string& data, Random& random) {
  Instance instance;
  instance.data = data;
  instance.id = make_name_suffix(random, 6);
  instance.node_name = host_name();
  instance.log_token = make_secret(random);
  instance.edge_token = make_secret(random);
  return instance;
}

}  // namespace

Result<std::string> Instance::authority() const {
  return io::read_file(path("pki/ca.crt"));
}

Result<net::KeyPair> Instance::key_pair(const std::string& name) const {
  auto certificate = io::read_file(path("pki/" + name + ".crt"));
  if (!certificate) return std::unexpected(certificate.error());
  auto key = io::read_file(path("pki/" + name + ".key"));
  if (!key) return std::unexpected(key.error());
  return net::KeyPair{*certificate, *key};
}

Result<std::string> Instance::token() const {
  auto text = io::read_file(path("token"));
  if (!text) return text;
  return std::string(trim(*text));
}

Result<Instance> open_instance(const std::string& data) {
  auto text = io::read_file(data + "/instance.json");
  if (!text && text.error().code == Code::kForbidden) return refused_access(data);
  if (!text && text.error().code != Code::kNotFound) return std::unexpected(text.error());
  if (!text) {
    return fail(
        Code::kNotFound,
        fmt::format("no Skiff instance in {}: start one with `skiff up --data {}`, or say where it is "
                    "with --data or SKIFF_DATA",
                    data, data));
  }
  auto value = json::parse(*text);
  if (!value) return wrap(value.error(), data + "/instance.json");
  return from_json(data, *value);
}

std::unexpected<Error> refused_access(const std::string& data) {
  return fail(Code::kForbidden, fmt::format("the instance in {} is another user's: use sudo", data));
}

Result<Instance> open_or_create_instance(const InstanceRequest& request, Random& random, WallTime now) {
  auto data = absolute_path(request.data);
  if (!data) return std::unexpected(data.error());
  const bool exists = io::path_exists(*data + "/instance.json");
  auto opened = exists ? open_instance(*data) : Result<Instance>(new_instance(*data, random));
  if (!opened) return opened;
  Instance instance = std::move(*opened);
  if (!request.domain.empty()) instance.domain = request.domain;
  if (instance.domain.empty()) instance.domain = "localhost";
  if (request.ports.http) instance.ports.http = request.ports.http;
  if (request.ports.https) instance.ports.https = request.ports.https;
  if (request.ports.kube) instance.ports.kube = request.ports.kube;
  if (request.trusted_proxies) instance.edge.trusted_proxies = *request.trusted_proxies;
  if (request.allowed_backends) instance.edge.allowed_backends = *request.allowed_backends;
  if (request.proxy_protocol) instance.edge.proxy_protocol = *request.proxy_protocol;
  if (request.pod_egress) instance.pod_egress = *request.pod_egress;
  SKIFF_RETURN_IF_ERROR(check_edge_settings(instance.edge));
  instance.platform_port = platform_port_of(instance.ports);
  SKIFF_RETURN_IF_ERROR(io::make_directories(instance.path("run")));
  for (const auto& folder : {*data, instance.path("pki"), instance.path("run")})
    io::sweep_unpublished(folder);
  if (!io::path_exists(instance.path("token"))) {
    SKIFF_RETURN_IF_ERROR(io::write_file_atomic(instance.path("token"), make_secret(random) + "\n"));
  }
  {
    // Until instance.json is there: a claim of an instance that is not there does not hold.
    auto machine = Machine::open();
    if (!machine) return std::unexpected(machine.error());
    SKIFF_RETURN_IF_ERROR(claim_ranges(*machine, instance));
    SKIFF_RETURN_IF_ERROR(
        io::write_file_atomic(instance.path("instance.json"), json::encode_pretty(to_json(instance)) + "\n"));
  }
  SKIFF_RETURN_IF_ERROR(make_keys(instance, now));
  return instance;
}

std::string default_data_directory() {
  const char* data = ::getenv("SKIFF_DATA");
  return data && *data ? data : kDefaultData;
}

}  // namespace skiff
