#include "control/deployment/plan.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "control/deployment/revisions.h"
#include "control/deployment/rounding.h"
#include "control/deployment/status.h"
#include "control/shared/claim.h"
#include "kube/selector/selector.h"

namespace skiff::control {

namespace {

constexpr const char* kApi = "/apis/apps/v1";
enum class MayCreate { kYes, kNo };

std::string set_path(const Value& set) {
  return path_of(kApi, "replicasets", namespace_of(set), name_of(set));
}
std::string deployment_path(const Value& deployment) {
  return path_of(kApi, "deployments", namespace_of(deployment), name_of(deployment));
}
int64_t size_of(const Value& set) {
  return set["spec"]["replicas"].as_int();
}

// One sync: working copies of what was observed, changed step by step while the actions are noted.
class Sync {
 public:
  Sync(const DeploymentView& view, WallTime now)
      : deployment_(view.deployment), stored_(view.deployment), pods_(view.pods), now_(now) {}

  Plan run(std::vector<Value> sets);

 private:
  int64_t desired() const { return deployment_["spec"]["replicas"].as_int(1); }
  int64_t max_total() const { return desired() + bounds_.surge; }
  int64_t total() const;
  bool is_scaling_event() const;
  void note_pause();
  void roll_back();
  void find_new(MayCreate may_create);
  void update_new();
  void create_new();
  bool scale_to(Value& set, int64_t size);
  void roll();
  bool scale_old();
  void recreate();
  bool has_running_old_pods() const;
  void scale();
  void scale_in_proportion();
  void clean_history();
  enum class StatusOf { kRollout, kCounts };
  void write_status(StatusOf what);
  DeploymentSets sets() const;

  Value deployment_;
  const Value stored_;
  const std::vector<Value>& pods_;
  WallTime now_;
  Bounds bounds_;
  std::vector<Value> old_;
  std::optional<Value> new_;
  Plan plan_;
};

int64_t Sync::total() const {
  int64_t sum = new_ ? size_of(*new_) : 0;
  for (const auto& set : old_) sum += size_of(set);
  return sum;
}

DeploymentSets Sync::sets() const {
  DeploymentSets out;
  out.all = old_;
  if (new_) {
    out.all.push_back(*new_);
    out.fresh = &*new_;
  }
  return out;
}

Plan Sync::run(std::vector<Value> sets) {
  bounds_ = deployment_bounds(deployment_);
  sort_by_age(sets);
  for (auto& set : sets) {
    if (!new_ && same_template(set["spec"]["template"], deployment_["spec"]["template"])) {
      new_ = std::move(set);
    } else {
      old_.push_back(std::move(set));
    }
  }
  if (is_deleting(deployment_)) {
    write_status(StatusOf::kCounts);
    return std::move(plan_);
  }
  note_pause();
  const bool paused = deployment_["spec"]["paused"].as_bool();
  if (!paused && !annotation(deployment_, kRollbackTo).empty()) {
    roll_back();
  } else if (paused || is_scaling_event()) {
    find_new(MayCreate::kNo);
    scale();
    if (paused) clean_history();
    write_status(StatusOf::kCounts);
  } else if (deployment_["spec"]["strategy"]["type"].str() == "Recreate") {
    recreate();
  } else {
    roll();
  }
  return std::move(plan_);
}

// The old way to undo: an annotation names the revision, and goes when it was looked at.
void Sync::roll_back() {
  std::vector<Value> sets = old_;
  if (new_) sets.push_back(*new_);
  const auto target = find_rollback_target(sets, parse_int(annotation(deployment_, kRollbackTo)).value_or(0));
  auto changed = stored_;
  changed.edit("metadata").edit("annotations").erase(kRollbackTo);
  if (!target) {
    plan_.actions.push_back(warning_event(deployment_, "DeploymentRollbackRevisionNotFound",
                                          "Unable to find the revision to rollback to."));
  } else if (same_template((*target)["spec"]["template"], deployment_["spec"]["template"])) {
    plan_.actions.push_back(
        warning_event(deployment_, "DeploymentRollbackTemplateUnchanged",
                      "The rollback revision contains the same template as current deployment \"" +
                          name_of(deployment_) + "\""));
  } else {
    changed.edit("spec").set("template", without_hash((*target)["spec"]["template"]));
    plan_.actions.push_back(normal_event(deployment_, "DeploymentRollback",
                                         "Rolled back deployment \"" + name_of(deployment_) +
                                             "\" to revision " + annotation(*target, kRevision)));
  }
  plan_.actions.push_back(update(deployment_path(deployment_), std::move(changed)));
}

bool Sync::is_scaling_event() const {
  const auto differs = [this](const Value& set) {
    const auto noted = parse_int(annotation(set, kDesiredReplicas));
    return size_of(set) > 0 && noted && *noted != desired();
  };
  return (new_ && differs(*new_)) || std::ranges::any_of(old_, differs);
}

void Sync::note_pause() {
  if (!has_deadline(deployment_)) return;
  const auto reason = find_condition(deployment_, "Progressing")["reason"].str();
  if (reason == "ProgressDeadlineExceeded") return;
  const bool paused = deployment_["spec"]["paused"].as_bool();
  auto& status = deployment_.edit("status");
  if (paused && reason != "DeploymentPaused") {
    set_condition(status,
                  make_condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now_));
  } else if (!paused && reason == "DeploymentPaused") {
    set_condition(
        status, make_condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now_));
  }
}

void Sync::find_new(MayCreate may_create) {
  if (new_) {
    update_new();
  } else if (may_create == MayCreate::kYes) {
    create_new();
  }
}

void Sync::update_new() {
  bool changed = copy_annotations(deployment_, *new_);
  changed |= raise_revision(*new_, highest_revision(old_) + 1);
  const auto min_ready = deployment_["spec"]["minReadySeconds"].as_int();
  if ((*new_)["spec"]["minReadySeconds"].as_int() != min_ready) {
    new_->edit("spec").set("minReadySeconds", min_ready);
    changed = true;
  }
  if (changed) plan_.actions.push_back(update(set_path(*new_), *new_));
  deployment_.edit("metadata").edit("annotations").set(kRevision, annotation(*new_, kRevision));
  if (has_deadline(deployment_) && find_condition(deployment_, "Progressing").is_null()) {
    set_condition(deployment_.edit("status"),
                  make_condition("Progressing", "True", "FoundNewReplicaSet",
                                 "Found new replica set \"" + name_of(*new_) + "\"", now_));
  }
}

void Sync::create_new() {
  const bool recreating = deployment_["spec"]["strategy"]["type"].str() == "Recreate";
  const auto size = recreating ? desired() : next_new_replicas({desired(), bounds_.surge, total(), 0});
  new_ = make_replica_set(deployment_, highest_revision(old_) + 1, size, max_total());
  plan_.actions.push_back(create(path_of(kApi, "replicasets", namespace_of(deployment_)), *new_));
  if (size > 0) {
    plan_.actions.push_back(
        normal_event(deployment_, "ScalingReplicaSet",
                     "Scaled up replica set " + name_of(*new_) + " from 0 to " + std::to_string(size)));
  }
  deployment_.edit("metadata").edit("annotations").set(kRevision, annotation(*new_, kRevision));
  if (has_deadline(deployment_)) {
    set_condition(deployment_.edit("status"),
                  make_condition("Progressing", "True", "NewReplicaSetCreated",
                                 "Created new replica set \"" + name_of(*new_) + "\"", now_));
  }
}

// Sets the size and refreshes the annotations; true when the size changed.
bool Sync::scale_to(Value& set, int64_t size) {
  const auto before = size_of(set);
  const bool noted = annotate_replicas(set, desired(), max_total());
  if (before == size && !noted) return false;
  set.edit("spec").set("replicas", size);
  plan_.actions.push_back(update(set_path(set), set));
  if (before == size) return false;
  plan_.actions.push_back(normal_event(deployment_, "ScalingReplicaSet",
                                       std::string("Scaled ") + (size > before ? "up" : "down") +
                                           " replica set " + name_of(set) + " from " +
                                           std::to_string(before) + " to " + std::to_string(size)));
  return true;
}

void Sync::roll() {
  find_new(MayCreate::kYes);
  const auto size = size_of(*new_);
  const auto next = next_new_replicas({desired(), bounds_.surge, total(), size});
  const bool scaled = next != size && scale_to(*new_, next);
  if (!scaled && !scale_old() && is_complete(deployment_, stored_["status"])) clean_history();
  write_status(StatusOf::kRollout);
}

bool Sync::scale_old() {
  ScaleDown in{
      desired(), bounds_.unavailable, {size_of(*new_), (*new_)["status"]["availableReplicas"].as_int()}, {}};
  for (const auto& set : old_) in.old.push_back({size_of(set), set["status"]["availableReplicas"].as_int()});
  const auto sizes = next_old_replicas(in);
  bool scaled = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != size_of(old_[i])) scaled |= scale_to(old_[i], sizes[i]);
  }
  return scaled;
}

void Sync::recreate() {
  find_new(MayCreate::kNo);
  bool scaled = false;
  for (auto& set : old_) {
    if (size_of(set) > 0) scaled |= scale_to(set, 0);
  }
  if (scaled || has_running_old_pods()) {
    write_status(StatusOf::kRollout);
    return;
  }
  if (!new_) create_new();
  if (size_of(*new_) != desired()) scale_to(*new_, desired());
  if (is_complete(deployment_, stored_["status"])) clean_history();
  write_status(StatusOf::kRollout);
}

bool Sync::has_running_old_pods() const {
  for (const auto& set : old_) {
    if (set["status"]["replicas"].as_int() > 0) return true;
    for (const auto& pod : pods_) {
      const auto& phase = pod["status"]["phase"].str();
      if (controller_ref(pod)["uid"].str() == uid_of(set) && phase != "Succeeded" && phase != "Failed")
        return true;
    }
  }
  return false;
}

void Sync::scale() {
  std::vector<Value*> active;
  for (auto& set : old_) {
    if (size_of(set) > 0) active.push_back(&set);
  }
  if (new_ && size_of(*new_) > 0) active.push_back(&*new_);
  if (active.size() <= 1) {
    Value* only = !active.empty() ? active.front() : new_ ? &*new_ : !old_.empty() ? &old_.back() : nullptr;
    if (only && size_of(*only) != desired()) scale_to(*only, desired());
    return;
  }
  const bool saturated = new_ && size_of(*new_) == desired() &&
                         annotation(*new_, kDesiredReplicas) == std::to_string(desired()) &&
                         (*new_)["status"]["availableReplicas"].as_int() == desired();
  if (saturated) {
    for (auto& set : old_) {
      if (size_of(set) > 0) scale_to(set, 0);
    }
    return;
  }
  if (deployment_["spec"]["strategy"]["type"].str_or("RollingUpdate") == "RollingUpdate")
    scale_in_proportion();
}

void Sync::scale_in_proportion() {
  std::vector<Value*> active;
  ProportionalScale in{desired(), bounds_.surge, deployment_["status"]["replicas"].as_int(), {}};
  const auto add = [&](Value& set) {
    if (size_of(set) == 0) return;
    active.push_back(&set);
    in.sets.push_back({size_of(set), parse_int(annotation(set, kMaxReplicas)).value_or(0),
                       read_time(set["metadata"]["creationTimestamp"]).value_or(WallTime{})});
  };
  for (auto& set : old_) add(set);
  if (new_) add(*new_);
  const auto sizes = scale_proportionally(in);
  for (size_t i = 0; i < sizes.size(); ++i) scale_to(*active[i], sizes[i]);
}

void Sync::clean_history() {
  const auto limit = deployment_["spec"]["revisionHistoryLimit"].as_int(10);
  if (limit == std::numeric_limits<int32_t>::max()) return;
  std::vector<Value> alive;
  for (const auto& set : old_) {
    if (!is_deleting(set)) alive.push_back(set);
  }
  std::ranges::sort(alive, [](const Value& a, const Value& b) {
    return std::pair(revision_of(a), name_of(a)) < std::pair(revision_of(b), name_of(b));
  });
  const auto surplus = int64_t(alive.size()) - limit;
  for (int64_t i = 0; i < surplus; ++i) {
    const auto& set = alive[size_t(i)];
    const bool busy = set["status"]["replicas"].as_int() != 0 || size_of(set) != 0 ||
                      set["metadata"]["generation"].as_int() > set["status"]["observedGeneration"].as_int();
    if (!busy) plan_.actions.push_back(remove(set_path(set)));
  }
}

void Sync::write_status(StatusOf what) {
  auto status = what == StatusOf::kRollout ? next_rollout_status(deployment_, sets(), now_)
                                           : next_status(deployment_, sets(), now_);
  plan_.again = deadline_left(deployment_, status, now_);
  deployment_.set("status", std::move(status));
  if (deployment_["status"] == stored_["status"] &&
      annotation(deployment_, kRevision) == annotation(stored_, kRevision)) {
    return;
  }
  plan_.actions.push_back(update(deployment_path(deployment_) + "/status", deployment_));
}

Plan plan_select_all(const Value& deployment) {
  Plan plan;
  plan.actions.push_back(
      warning_event(deployment, "SelectingAll",
                    "This deployment is selecting all pods. A non-empty selector is required."));
  const auto generation = deployment["metadata"]["generation"].as_int();
  if (deployment["status"]["observedGeneration"].as_int() < generation) {
    auto copy = deployment;
    copy.edit("status").set("observedGeneration", generation);
    plan.actions.push_back(update(deployment_path(deployment) + "/status", std::move(copy)));
  }
  return plan;
}

}  // namespace

Plan plan_deployment(const DeploymentView& view, WallTime now) {
  auto selector = kube::LabelSelector::from_object(view.deployment["spec"]["selector"]);
  if (!selector) return {};
  if (selector->empty()) return plan_select_all(view.deployment);
  auto claim = plan_claim({view.deployment, deployment_path(view.deployment), "apps/v1", "Deployment", kApi,
                           "replicasets", [&](const Value& labels) { return selector->matches(labels); }},
                          view.replica_sets);
  // What was adopted or released comes back as a change, and with it the next sync.
  if (!claim.actions.empty()) return {std::move(claim.actions), std::nullopt};
  return Sync(view, now).run(std::move(claim.owned));
}

Plan plan_collision(const Value& deployment, const Value& existing) {
  Plan plan;
  if (controller_ref(existing)["uid"].str() == uid_of(deployment) &&
      same_template(existing["spec"]["template"], deployment["spec"]["template"])) {
    return plan;
  }
  auto copy = deployment;
  copy.edit("status").set("collisionCount", deployment["status"]["collisionCount"].as_int() + 1);
  plan.actions.push_back(update(deployment_path(deployment) + "/status", std::move(copy)));
  return plan;
}

Plan plan_create_failure(const Value& deployment, std::string message, WallTime now) {
  Plan plan;
  plan.actions.push_back(warning_event(
      deployment, "ReplicaSetCreateError",
      "Failed to create new replica set \"" + name_of(deployment) + "-" +
          template_hash(deployment["spec"]["template"], deployment["status"]["collisionCount"].as_int()) +
          "\": " + message));
  auto copy = deployment;
  if (has_deadline(deployment)) {
    set_condition(copy.edit("status"),
                  make_condition("Progressing", "False", "ReplicaSetCreateError", std::move(message), now));
    if (!(copy["status"] == deployment["status"])) {
      plan.actions.push_back(update(deployment_path(deployment) + "/status", std::move(copy)));
    }
  }
  return plan;
}

}  // namespace skiff::control
