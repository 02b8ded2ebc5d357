#include <algorithm>
#include <bit>
#include <list>
#include <map>

#include "base/strings.h"
#include "control/replicaset/plan.h"

namespace skiff::control {

namespace {

struct Ranked {
  Value pod;
  bool assigned = false;
  int phase = 0;
  bool ready = false;
  int64_t cost = 0;
  int64_t crowd = 0;
  WallTime ready_since{};
  int ready_age = 0;  // floor(log2(ns))
  int64_t restarts = 0, sidecar_restarts = 0;
  WallTime created{};
  int age = 0;
};

int log2_of(Duration duration) {
  return duration.count() <= 0 ? 0 : int(std::bit_width(uint64_t(duration.count()))) - 1;
}

int64_t most_restarts(const Value& statuses) {
  int64_t most = 0;
  for (const auto& status : statuses.items()) most = std::max(most, status["restartCount"].as_int());
  return most;
}

Ranked rank(const Value& pod, const std::map<std::string, int64_t>& crowds, WallTime now) {
  Ranked out;
  out.pod = pod;
  const auto& node = pod["spec"]["nodeName"].str();
  out.assigned = !node.empty();
  const auto& phase = pod["status"]["phase"].str();
  out.phase = phase == "Running" ? 2 : phase == "Unknown" ? 1 : 0;
  out.ready = is_pod_ready(pod);
  const auto cost = parse_int(annotation(pod, "controller.kubernetes.io/pod-deletion-cost")).value_or(0);
  out.cost = cost >= INT32_MIN && cost <= INT32_MAX ? cost : 0;
  if (const auto found = crowds.find(node); found != crowds.end() && out.assigned) out.crowd = found->second;
  if (out.ready) {
    const auto since = read_time(find_condition(pod, "Ready")["lastTransitionTime"]);
    out.ready_since = since.value_or(WallTime{});
    out.ready_age = since ? log2_of(now - *since) : 0;
  }
  out.restarts = most_restarts(pod["status"]["containerStatuses"]);
  out.sidecar_restarts = most_restarts(pod["status"]["initContainerStatuses"]);
  const auto created = read_time(pod["metadata"]["creationTimestamp"]);
  out.created = created.value_or(WallTime{});
  out.age = created ? log2_of(now - *created) : 0;
  return out;
}

bool dies_before(const Ranked& a, const Ranked& b) {
  if (a.assigned != b.assigned) return !a.assigned;
  if (a.phase != b.phase) return a.phase < b.phase;
  if (a.ready != b.ready) return !a.ready;
  if (a.cost != b.cost) return a.cost < b.cost;
  if (a.crowd != b.crowd) return a.crowd > b.crowd;
  if (a.ready && a.ready_since != b.ready_since) {
    return a.ready_age != b.ready_age ? a.ready_age < b.ready_age : uid_of(a.pod) < uid_of(b.pod);
  }
  if (a.restarts != b.restarts) return a.restarts > b.restarts;
  if (a.sidecar_restarts != b.sidecar_restarts) return a.sidecar_restarts > b.sidecar_restarts;
  if (a.age != b.age) return a.age < b.age;
  return uid_of(a.pod) < uid_of(b.pod);
}

}  // namespace

void rank_victims(std::vector<Value>& pods, const std::vector<Value>& siblings, WallTime now) {
  std::map<std::string, int64_t> crowds;
  for (const auto& pod : siblings) ++crowds[pod["spec"]["nodeName"].str()];
  // Upstream's order is not transitive (ages are compared by their logarithm), which std::sort would not
  // survive; a merge of lists does.
  std::list<Ranked> ranked;
  for (const auto& pod : pods) ranked.push_back(rank(pod, crowds, now));
  ranked.sort(dies_before);
  pods.clear();
  for (auto& item : ranked) pods.push_back(std::move(item.pod));
}

}  // namespace skiff::control
