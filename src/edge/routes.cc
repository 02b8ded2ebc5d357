#include "edge/routes.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::edge {
namespace {

bool matches(const PathRoute& route, std::string_view path) {
  if (route.type == PathRoute::Type::kExact) return path == route.path;
  std::string_view prefix = route.path;
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

std::string host_key(std::string_view host) {
  if (host.starts_with('[')) return to_lower(host.substr(0, host.find(']') + 1));
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower(host);
}

const App* RouteTable::find(std::string_view host, std::string_view path) const {
  const auto in = [&](std::string_view key) -> const App* {
    const auto found = hosts.find(key);
    if (found == hosts.end()) return nullptr;
    for (const PathRoute& route : found->second) {
      if (matches(route, path)) return &apps[route.app];
    }
    return nullptr;
  };
  if (const App* app = in(host)) return app;
  if (const size_t dot = host.find('.'); dot != std::string_view::npos) {
    if (const App* app = in("*" + std::string(host.substr(dot)))) return app;
  }
  return in("");
}

}  // namespace skiff::edge
