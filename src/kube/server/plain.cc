// Paths that are no resources: health, version, discovery, OpenAPI.
#include <algorithm>

#include "base/strings.h"
#include "kube/discovery/discovery.h"
#include "kube/server/authenticate.h"
#include "kube/server/routes.h"
#include "net/certificates.h"

namespace skiff::kube {

namespace {

std::optional<json::Value> below_apis(const Registry& registry, const std::vector<std::string>& parts) {
  constexpr size_t kGroup = 3, kGroupVersion = 4;  // "", "apis", group, version
  if (parts.size() == kGroup) return api_group(registry, parts[2]);
  if (parts.size() == kGroupVersion) return api_resource_list(registry, parts[2], parts[3]);
  return std::nullopt;
}

std::optional<json::Value> document(const Registry& registry, const std::string& path) {
  const auto parts = split(path, '/');
  if (path == "/version") return version_info();
  if (path == "/api") return api_versions();
  if (path == "/apis") return api_group_list(registry);
  if (path.starts_with("/api/") && parts.size() == 3) return api_resource_list(registry, "", parts[2]);
  if (path.starts_with("/apis/")) return below_apis(registry, parts);
  if (path == "/openapi/v2") return openapi_v2();
  if (path == "/openapi/v3") return openapi_v3_index(registry);
  constexpr std::string_view kOpenApi = "/openapi/v3/";
  if (path.starts_with(kOpenApi)) return openapi_v3(registry, std::string_view(path).substr(kOpenApi.size()));
  return std::nullopt;
}

// What answers, answers from its store: each check holds whenever it can be asked.
constexpr std::string_view kChecks[] = {"ping", "log", "etcd"};

// The answer to a path of health, "" for other paths: all checks, or the one that the path names.
std::string health(const std::string& path, bool verbose) {
  if (!path.starts_with('/')) return "";
  for (const std::string_view name : {"healthz", "livez", "readyz"}) {
    std::string_view rest = path;
    rest.remove_prefix(1);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    if (rest.empty() && !verbose) return "ok";
    if (rest.empty()) {
      std::string out;
      for (const auto check : kChecks) out += "[+]" + std::string(check) + " ok\n";
      return out + std::string(name) + " check passed\n";
    }
    if (!rest.starts_with('/')) continue;
    rest.remove_prefix(1);
    if (std::ranges::find(kChecks, rest) != std::end(kChecks)) return "ok";
  }
  return "";
}

}  // namespace

io::Task<void> serve_aggregated(Exchange& exchange, bool core, std::string version) {
  const std::string body = json::encode(aggregated_discovery(exchange.objects.registry(), core, version));
  const std::string tag = "\"" + to_upper(hex(net::sha512(body))) + "\"";
  net::Response response = net::Response::json(200, body);
  if (exchange.request.headers.get("If-None-Match") == tag) {
    response = net::Response();
    response.status = 304;
  }
  response.headers.set("Content-Type",
                       "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList");
  response.headers.set("ETag", tag);
  co_await send_response(exchange, std::move(response));
}

io::Task<void> serve_openapi_v2_protobuf(Exchange& exchange) {
  net::Response response = net::Response::text(200, openapi_v2_protobuf());
  response.headers.set("Content-Type", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  co_await send_response(exchange, std::move(response));
}

// Who else trusts this cluster's tokens reads here how to prove them (RFC 8414; OpenID Connect
// Discovery 1.0).
enum class OpenId { kDiscovery, kKeys };
io::Task<void> serve_openid(Exchange& exchange, OpenId asked) {
  const bool keys = asked == OpenId::kKeys;
  auto document = keys ? exchange.authenticator.key_set() : exchange.authenticator.discovery();
  if (!document) {
    co_await send_text(exchange, 404, "404 page not found\n");
    co_return;
  }
  net::Response response = net::Response::json(200, json::encode(*document));
  if (keys) response.headers.set("Content-Type", "application/jwk-set+json");
  response.headers.set("Cache-Control", "public, max-age=3600");
  co_await send_response(exchange, std::move(response));
}

io::Task<void> serve_plain(Exchange& exchange) {
  std::string path = exchange.info.path;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const bool verbose = exchange.request.query_parameter("verbose").has_value();
  if (auto said = health(path, verbose); !said.empty()) {
    co_await send_text(exchange, 200, std::move(said));
    co_return;
  }
  if (path == "/metrics") {
    co_await send_text(exchange, 200,
                       "# TYPE skiff_store_revision gauge\nskiff_store_revision " +
                           std::to_string(store::number(exchange.objects.store().current())) + "\n");
    co_return;
  }
  if (path == "/.well-known/openid-configuration" || path == "/openid/v1/jwks") {
    co_await serve_openid(exchange, path == "/openid/v1/jwks" ? OpenId::kKeys : OpenId::kDiscovery);
    co_return;
  }
  const std::string_view accept = exchange.request.headers.get("Accept");
  if ((path == "/api" || path == "/apis") &&
      accept.find("as=APIGroupDiscoveryList") != std::string_view::npos) {
    const bool stable = accept.find("v=v2;") != std::string_view::npos || accept.ends_with("v=v2");
    co_await serve_aggregated(exchange, path == "/api", stable ? "v2" : "v2beta1");
    co_return;
  }
  if (path == "/openapi/v2" && accept.find("proto-openapi.spec.v2") != std::string_view::npos) {
    co_await serve_openapi_v2_protobuf(exchange);
    co_return;
  }
  auto found = document(exchange.objects.registry(), path);
  if (!found) {
    co_await send_text(exchange, 404, "404 page not found\n");
    co_return;
  }
  co_await send_json(exchange, 200, std::move(*found));
}

}  // namespace skiff::kube
