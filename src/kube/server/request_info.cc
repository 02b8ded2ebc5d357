#include "kube/server/request_info.h"

#include "base/strings.h"

namespace skiff::kube {

namespace {

std::string verb_of(std::string_view method, bool named, bool watch) {
  if (method == "GET" || method == "HEAD") {
    if (watch) return "watch";
    return named ? "get" : "list";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return named ? "delete" : "deletecollection";
  return "";
}

// Subresources of a namespace itself; anything else after its name is a resource inside it.
bool is_namespace_subresource(const std::string& part) {
  return part == "status" || part == "finalize";
}

}  // namespace

RequestInfo parse_request_info(std::string_view method, std::string_view path, bool watch) {
  RequestInfo info;
  info.path = path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string> parts;
  for (auto& part : split(path.substr(path.empty() ? 0 : 1), '/')) {
    auto decoded = url_decode(part);
    parts.push_back(decoded ? *decoded : part);
  }
  size_t at = 0;
  if (parts[0] == "api" && parts.size() > 2) {
    info.version = parts[1];
    at = 2;
  } else if (parts[0] == "apis" && parts.size() > 3) {
    info.group = parts[1];
    info.version = parts[2];
    at = 3;
  } else {
    info.verb = to_lower(method);
    return info;
  }
  info.is_resource = true;
  // The old form of a watch: ".../watch/pods".
  if (parts[at] == "watch" && parts.size() > at + 1 && (method == "GET" || method == "HEAD")) {
    info.old_watch = true;
    watch = true;
    ++at;
  }
  if (parts[at] == "namespaces" && parts.size() > at + 2 && !is_namespace_subresource(parts[at + 2])) {
    info.name_space = parts[at + 1];
    at += 2;
  } else if (parts[at] == "namespaces" && parts.size() > at + 1) {
    info.name_space = parts[at + 1];  // a namespace is authorized within itself
  }
  info.resource = parts[at];
  if (parts.size() > at + 1) info.name = parts[at + 1];
  if (parts.size() > at + 2) info.subresource = parts[at + 2];
  // Only proxies have paths of their own, and there are none here.
  info.bad_path = parts.size() > at + 3;
  info.verb = verb_of(method, !info.name.empty(), watch);
  return info;
}

}  // namespace skiff::kube
