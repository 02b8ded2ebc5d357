#include "control/endpoints/slices.h"

#include <algorithm>

namespace skiff::control {

namespace {

constexpr const char* kSliceApi = "/apis/discovery.k8s.io/v1";

bool same_slice(const Value& a, const Value& b) {
  return same_meaning(a["endpoints"], b["endpoints"]) && same_meaning(a["ports"], b["ports"]) &&
         a["metadata"]["labels"] == b["metadata"]["labels"];
}

std::string path(const Value& slice) {
  return path_of(kSliceApi, "endpointslices", namespace_of(slice), name_of(slice));
}

}  // namespace

// Plain equality is the cheaper question, and mostly the answer.
bool same_meaning(const Value& a, const Value& b) {
  return a == b || canonical_text(a) == canonical_text(b);
}

void plan_slices(std::vector<Value> wanted, const std::vector<Value>& present, Plan& plan) {
  // In order: a slice keeps its name, so that watchers see a change and not a removal.
  for (size_t i = 0; i < std::max(wanted.size(), present.size()); ++i) {
    if (i >= wanted.size()) {
      plan.actions.push_back(remove(path(present[i])));
    } else if (i >= present.size()) {
      auto collection = path(wanted[i]);
      plan.actions.push_back(create(std::move(collection), std::move(wanted[i])));
    } else if (!same_slice(wanted[i], present[i])) {
      auto changed = present[i];
      changed.edit("metadata").set("labels", wanted[i]["metadata"]["labels"]);
      changed.set("endpoints", wanted[i]["endpoints"]);
      changed.set("ports", wanted[i]["ports"]);
      plan.actions.push_back(update(path(changed), std::move(changed)));
    }
  }
}

}  // namespace skiff::control
