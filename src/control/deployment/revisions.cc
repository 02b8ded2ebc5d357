#include "control/deployment/revisions.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "control/deployment/plan.h"

namespace skiff::control {

namespace {

constexpr size_t kMaxHistoryBytes = 2000;
constexpr std::array<std::string_view, 6> kNotCopied = {"kubectl.kubernetes.io/last-applied-configuration",
                                                        kRevision,
                                                        kRevisionHistory,
                                                        kDesiredReplicas,
                                                        kMaxReplicas,
                                                        kRollbackTo};

bool set_annotation(Value& object, std::string_view key, std::string value) {
  if (object["metadata"]["annotations"][key].str() == value &&
      object["metadata"]["annotations"].contains(key)) {
    return false;
  }
  object.edit("metadata").edit("annotations").set(key, std::move(value));
  return true;
}

}  // namespace

int64_t revision_of(const Value& object) {
  return parse_int(annotation(object, kRevision)).value_or(0);
}

int64_t highest_revision(const std::vector<Value>& sets) {
  int64_t highest = 0;
  for (const auto& set : sets) highest = std::max(highest, revision_of(set));
  return highest;
}

std::optional<Value> find_rollback_target(const std::vector<Value>& sets, int64_t revision) {
  if (revision == 0) {
    const auto newest = highest_revision(sets);
    for (const auto& set : sets) {
      if (revision_of(set) < newest) revision = std::max(revision, revision_of(set));
    }
  }
  for (const auto& set : sets) {
    if (revision > 0 && revision_of(set) == revision) return set;
  }
  return std::nullopt;
}

Value without_hash(Value pod_template) {
  if (pod_template["metadata"]["labels"].contains(kHashLabel)) {
    pod_template.edit("metadata").edit("labels").erase(kHashLabel);
  }
  return pod_template;
}

void sort_by_age(std::vector<Value>& sets) {
  std::ranges::sort(sets, [](const Value& a, const Value& b) {
    const auto& x = a["metadata"]["creationTimestamp"].str();
    const auto& y = b["metadata"]["creationTimestamp"].str();
    return x != y ? x < y : name_of(a) < name_of(b);
  });
}

bool copy_annotations(const Value& deployment, Value& set) {
  bool changed = false;
  for (const auto& [key, value] : deployment["metadata"]["annotations"].members()) {
    if (std::ranges::find(kNotCopied, key) != kNotCopied.end()) continue;
    changed |= set_annotation(set, key, value.str());
  }
  return changed;
}

bool raise_revision(Value& set, int64_t revision) {
  const auto before = annotation(set, kRevision);
  if (parse_int(before).value_or(0) >= revision) return false;
  set_annotation(set, kRevision, std::to_string(revision));
  if (before.empty()) return true;
  auto history = annotation(set, kRevisionHistory);
  history += history.empty() ? before : "," + before;
  while (history.size() > kMaxHistoryBytes) {
    const auto comma = history.find(',');
    history = comma == std::string::npos ? before : history.substr(comma + 1);
  }
  set_annotation(set, kRevisionHistory, history);
  return true;
}

bool annotate_replicas(Value& set, int64_t desired, int64_t max) {
  const bool first = set_annotation(set, kDesiredReplicas, std::to_string(desired));
  return set_annotation(set, kMaxReplicas, std::to_string(max)) || first;
}

bool same_template(const Value& a, const Value& b) {
  return a.same_storage(b) || canonical_text(without_hash(a)) == canonical_text(without_hash(b));
}

std::string template_hash(const Value& pod_template, int64_t collisions) {
  constexpr std::string_view kSafe = "bcdfghjklmnpqrstvwxz2456789";
  uint32_t hash = 2166136261u;
  const auto mix = [&hash](std::string_view bytes) {
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 16777619u;
  };
  // By text: names of ReplicaSets stay what they were in every version before.
  mix(canonical_text(without_hash(pod_template), Amounts::kByText));
  if (collisions > 0) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += char(uint64_t(collisions) >> (8 * i));
    mix(bytes);
  }
  auto text = std::to_string(hash);
  for (auto& c : text) c = kSafe[static_cast<unsigned char>(c) % kSafe.size()];
  return text;
}

Value make_replica_set(const Value& deployment, int64_t revision, int64_t replicas, int64_t max) {
  const auto& spec = deployment["spec"];
  const auto hash = template_hash(spec["template"], deployment["status"]["collisionCount"].as_int());
  auto pod_template = spec["template"];
  pod_template.edit("metadata").edit("labels").set(kHashLabel, hash);
  auto selector = spec["selector"];
  selector.edit("matchLabels").set(kHashLabel, hash);
  auto set = Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"metadata", Value::object({{"name", name_of(deployment) + "-" + hash},
                                   {"namespace", namespace_of(deployment)},
                                   {"labels", pod_template["metadata"]["labels"]},
                                   {"ownerReferences", Value::array({make_controller_ref(
                                                           deployment, "apps/v1", "Deployment")})}})},
       {"spec",
        Value::object({{"replicas", replicas}, {"selector", selector}, {"template", pod_template}})}});
  if (spec["minReadySeconds"].as_int() > 0) set.edit("spec").set("minReadySeconds", spec["minReadySeconds"]);
  copy_annotations(deployment, set);
  raise_revision(set, revision);
  annotate_replicas(set, spec["replicas"].as_int(1), max);
  return set;
}

}  // namespace skiff::control
