#include "edge/leaf_cache.h"

#include <algorithm>

namespace skiff::edge {
namespace {

constexpr size_t kMaxHostName = 253;            // RFC 1035 2.3.4, as text
constexpr const char* kSubject = "skiff-edge";  // clients look at the alternative names only

// Addresses are no host names: they stand in the default certificate.
bool is_host_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return name.size() <= kMaxHostName && std::ranges::all_of(name, fits) &&
         std::ranges::any_of(name, is_letter);
}

// The name of the table that `server_name` comes under; "": none.
std::string routed_name(const RouteTable& routes, std::string_view server_name) {
  std::string buffer;
  const std::string_view host = host_key(server_name, buffer);
  if (!is_host_name(host)) return "";
  if (routes.hosts.contains(host)) return std::string(host);
  const size_t dot = host.find('.');
  const bool below = dot != std::string_view::npos && routes.wildcards.contains(host.substr(dot));
  return below ? "*" + std::string(host.substr(dot)) : "";
}

net::CertificateRequest default_request(const std::string& domain) {
  net::CertificateRequest request{.dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1", "::1"}};
  if (domain != "localhost") request.dns_names.insert(request.dns_names.end(), {domain, "*." + domain});
  return request;
}

}  // namespace

LeafCache::LeafCache(net::KeyPair authority, std::string domain, std::shared_ptr<const RouteTable> routes,
                     size_t capacity)
    : authority_(std::move(authority)),
      domain_(std::move(domain)),
      capacity_(capacity),
      routes_(std::move(routes)) {}

void LeafCache::set_routes(std::shared_ptr<const RouteTable> routes) {
  const std::lock_guard lock(mutex_);
  routes_ = std::move(routes);
}

bool LeafCache::must_wait(std::string_view server_name) {
  const std::lock_guard lock(mutex_);
  if (routes_->complete || !routed_name(*routes_, server_name).empty()) return false;
  std::string buffer;
  const std::string_view host = host_key(server_name, buffer);
  return is_host_name(host) && host != "localhost" && host != domain_;
}

Result<std::shared_ptr<const Leaf>> LeafCache::find(std::string_view server_name, WallTime now) {
  const std::lock_guard lock(mutex_);
  const std::string name = routed_name(*routes_, server_name);
  auto found = kept_.find(name);
  // One made later than now is of a clock that was set back: clients may refuse it.
  if (found == kept_.end() || now < found->second.made || now >= found->second.made + kLeafRenewal) {
    auto made = make(name, now);
    if (!made) return made;
    if (found == kept_.end()) make_room();
    found = kept_.insert_or_assign(name, Kept{std::move(*made), now}).first;
  }
  found->second.last_use = ++uses_;
  return found->second.leaf;
}

Result<std::shared_ptr<const Leaf>> LeafCache::make(const std::string& name, WallTime now) const {
  auto request = name.empty() ? default_request(domain_) : net::CertificateRequest{.dns_names = {name}};
  request.common_name = kSubject;
  request.for_server = true;
  request.lifetime = kLeafLifetime;
  const auto pair = net::sign_certificate(authority_, request, now);
  if (!pair) return std::unexpected(pair.error());
  auto certificate = net::read_certificate(pair->certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  auto key = net::read_private_key(pair->key_pem);
  if (!key) return std::unexpected(key.error());
  return std::make_shared<const Leaf>(std::move(*certificate), std::move(*key));
}

void LeafCache::make_room() {
  if (kept_.size() < capacity_) return;
  kept_.erase(std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.last_use; }));
}

}  // namespace skiff::edge
