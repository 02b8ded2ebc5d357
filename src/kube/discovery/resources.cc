#include "kube/discovery/resources.h"

#include <algorithm>
#include <array>

namespace skiff::kube {

namespace {

// The priority of upstream's aggregator; what is not named comes after, by name.
constexpr std::array<std::string_view, 19> kGroupOrder = {"apiregistration.k8s.io",
                                                          "apps",
                                                          "events.k8s.io",
                                                          "authentication.k8s.io",
                                                          "authorization.k8s.io",
                                                          "autoscaling",
                                                          "batch",
                                                          "certificates.k8s.io",
                                                          "networking.k8s.io",
                                                          "policy",
                                                          "rbac.authorization.k8s.io",
                                                          "storage.k8s.io",
                                                          "admissionregistration.k8s.io",
                                                          "apiextensions.k8s.io",
                                                          "scheduling.k8s.io",
                                                          "coordination.k8s.io",
                                                          "node.k8s.io",
                                                          "discovery.k8s.io",
                                                          "flowcontrol.apiserver.k8s.io"};

size_t rank_of(std::string_view group) {
  return static_cast<size_t>(std::ranges::find(kGroupOrder, group) - kGroupOrder.begin());
}

struct VersionRank {
  int stability = 0;  // 0 stable, 1 beta, 2 alpha, 3 neither
  int64_t major = 0;
  int64_t minor = 0;
};

int64_t digits_at(std::string_view text, size_t& at) {
  int64_t value = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') value = value * 10 + (text[at++] - '0');
  return value;
}

// "v2" before "v1" before "v1beta2" before "v1alpha1" before anything else.
VersionRank rank_of_version(std::string_view version) {
  constexpr size_t kLongest = 12;  // keeps the numbers from overflowing
  VersionRank rank{3, 0, 0};
  if (version.size() < 2 || version.size() > kLongest || version[0] != 'v') return rank;
  size_t at = 1;
  rank.major = digits_at(version, at);
  auto rest = version.substr(at);
  if (rest.empty()) return {0, rank.major, 0};
  int stability = rest.starts_with("beta") ? 1 : rest.starts_with("alpha") ? 2 : 3;
  if (stability == 3) return {3, 0, 0};
  at += stability == 1 ? 4 : 5;
  return {stability, rank.major, digits_at(version, at)};
}

bool is_preferred(const GroupVersion& a, const GroupVersion& b) {
  auto left = rank_of_version(a.version), right = rank_of_version(b.version);
  if (left.stability != right.stability) return left.stability < right.stability;
  if (left.major != right.major) return left.major > right.major;
  if (left.minor != right.minor) return left.minor > right.minor;
  return a.version < b.version;
}

std::map<std::string, Group> all_groups(const Registry& registry) {
  std::map<std::string, Group> result;
  for (const auto& kind : registry.all()) {
    auto& group = result[kind->group];
    group.name = kind->group;
    auto place = std::ranges::find(group.versions, kind->version, &GroupVersion::version);
    if (place == group.versions.end()) place = group.versions.insert(place, {kind->version, {}});
    place->kinds.push_back(kind);
  }
  for (auto& [name, group] : result) {
    std::ranges::sort(group.versions, is_preferred);
    for (auto& version : group.versions) {
      std::ranges::sort(version.kinds, {}, [](const KindPtr& kind) { return kind->plural; });
    }
  }
  return result;
}

}  // namespace

std::vector<Group> groups_of(const Registry& registry) {
  std::vector<Group> result;
  for (auto& [name, group] : all_groups(registry)) {
    if (!name.empty()) result.push_back(std::move(group));
  }
  std::ranges::sort(result, [](const Group& a, const Group& b) {
    return std::pair(rank_of(a.name), a.name) < std::pair(rank_of(b.name), b.name);
  });
  return result;
}

Group core_group(const Registry& registry) {
  return all_groups(registry)[""];
}

std::string group_version_text(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

json::Value string_list(const std::vector<std::string>& items) {
  json::Value result = json::Value::array();
  for (const auto& item : items) result.push_back(item);
  return result;
}

std::vector<Subresource> subresources_of(const Kind& kind) {
  if (!kind.subresources.empty() || !kind.custom) return kind.subresources;
  const std::vector<std::string> verbs = {"get", "patch", "update"};
  std::vector<Subresource> result;
  if (kind.has_scale) result.push_back({"scale", "Scale", "autoscaling", "v1", verbs});
  if (kind.has_status) result.push_back({"status", kind.kind, "", "", verbs});
  return result;
}

std::vector<std::string> verbs_of(const Kind& kind) {
  if (!kind.verbs.empty() || !kind.custom) return kind.verbs;
  return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
}

}  // namespace skiff::kube
