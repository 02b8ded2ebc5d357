#include "edge/routes.h"

#include "edge/syntax.h"

namespace skiff::edge {
namespace {

bool matches(const PathRoute& route, std::string_view path) {
  if (route.type == PathRoute::Type::kExact) return path == route.path;
  std::string_view prefix = route.path;
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

std::string_view host_key(std::string_view host, std::string& buffer) {
  if (host.starts_with('[')) {
    host = host.substr(0, host.find(']') + 1);
  } else {
    host = host.substr(0, host.find(':'));
    if (host.ends_with('.')) host.remove_suffix(1);
  }
  buffer.assign(host);
  for (char& c : buffer) c = to_lower_ascii(c);
  return buffer;
}

const App* RouteTable::find(std::string_view host, std::string_view path) const {
  const App* owner = nullptr;  // of the most exact entry for the host
  const auto in = [&](const Hosts& table, std::string_view key) -> const App* {
    const auto found = table.find(key);
    if (found == table.end() || found->second.empty()) return nullptr;
    const App& first = apps[found->second.front().app];
    if (owner == nullptr) owner = &first;
    if (owner->log_namespace != first.log_namespace) return nullptr;
    for (const PathRoute& route : found->second) {
      if (matches(route, path)) return &apps[route.app];
    }
    return nullptr;
  };
  if (const App* app = in(hosts, host)) return app;
  if (const size_t dot = host.find('.'); dot != std::string_view::npos) {
    if (const App* app = in(wildcards, host.substr(dot))) return app;
  }
  return in(hosts, "");
}

}  // namespace skiff::edge
