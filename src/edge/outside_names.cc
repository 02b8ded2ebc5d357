#include "edge/outside_names.h"

#include <fmt/format.h>

namespace skiff::edge {

bool OutsideNames::take(const std::string& ns, const std::string& name) {
  auto& own = by_namespace_[ns];
  if (own.contains(name)) return true;
  if (own.size() >= kMaxExternalNamesOfNamespace) {
    if (full_.insert(ns).second) {
      table_.refusals.push_back(
          fmt::format("namespace {} leads to more than {} names outside the cluster: {} "
                      "and further ones have no addresses",
                      ns, kMaxExternalNamesOfNamespace, name));
    }
    return false;
  }
  own.insert(name);
  table_.external_names.insert(name);
  return true;
}

}  // namespace skiff::edge
