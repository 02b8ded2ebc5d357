// What a request asks for, read from its method and path. Pure.
//
//   /api/v1/namespaces/shop/pods/web-1/log      group "", version v1, namespace shop, pods, web-1, log
//   /apis/apps/v1/deployments                   all namespaces
//   /api/v1/watch/pods                          the old form of a watch
#pragma once

#include <string>
#include <string_view>

namespace skiff::kube {

struct RequestInfo {
  bool is_resource = false;  // below /api/<version> or /apis/<group>/<version>
  bool bad_path = false;     // more segments than a resource has
  bool old_watch = false;    // "/api/v1/watch/pods": a watch without ?watch=true
  std::string verb;          // get list watch create update patch delete deletecollection; "" unknown
  std::string path;          // without the query
  std::string group, version, name_space, resource, name, subresource;
};

// `watch` as the query says. Understands both ".../namespaces/x" (an object) and ".../namespaces/x/pods".
RequestInfo parse_request_info(std::string_view method, std::string_view path, bool watch);

}  // namespace skiff::kube
