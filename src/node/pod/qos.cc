#include "node/pod/status.h"

namespace skiff::node {

namespace {
// True when requests and limits of both resources are set and equal; requests default to the limits.
bool guaranteed(const json::Value& container) {
  for (const char* resource : {"cpu", "memory"}) {
    const auto& limit = container["resources"]["limits"][resource];
    if (limit.is_null()) return false;
    const auto& request = container["resources"]["requests"][resource];
    if (!request.is_null() && !(request == limit)) return false;
  }
  return true;
}

bool has_any(const json::Value& container) {
  for (const char* kind : {"limits", "requests"}) {
    for (const char* resource : {"cpu", "memory"}) {
      if (!container["resources"][kind][resource].is_null()) return true;
    }
  }
  return false;
}
}  // namespace

std::string qos_class(const json::Value& spec) {
  bool all = true, any = false;
  for (const char* list : {"initContainers", "containers"}) {
    for (const auto& container : spec[list].items()) {
      all = all && guaranteed(container);
      any = any || has_any(container);
    }
  }
  if (!any) return "BestEffort";
  return all ? "Guaranteed" : "Burstable";
}

}  // namespace skiff::node
