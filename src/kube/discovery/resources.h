// Pieces that the old and the aggregated discovery documents share. Pure; internal to kube/discovery.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kube/schema/schema.h"

namespace skiff::kube {

struct GroupVersion {
  std::string version;
  std::vector<KindPtr> kinds;  // by plural
};
struct Group {
  std::string name;
  std::vector<GroupVersion> versions;  // the preferred one first
};
// Groups in upstream's order, custom ones after the built-in ones by name; without the core group unless
// asked for.
std::vector<Group> groups_of(const Registry& registry);
Group core_group(const Registry& registry);

std::string group_version_text(std::string_view group, std::string_view version);
json::Value string_list(const std::vector<std::string>& items);
// The subresources by name; custom kinds get those that their flags name.
std::vector<Subresource> subresources_of(const Kind& kind);
std::vector<std::string> verbs_of(const Kind& kind);

}  // namespace skiff::kube
