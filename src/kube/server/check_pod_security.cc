#include "kube/server/check_pod_security.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "kube/pod_security/pod_security.h"
#include "kube/server/pod_template.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

using json::Value;

// Of one namespace when its level is raised: each is parsed and judged while others wait.
constexpr size_t kMaxPodsChecked = 1000;

bool is_core(const Kind& kind, std::string_view plural) {
  return kind.group.empty() && kind.plural == plural;
}

// Of a pod that exists, images and ephemeral containers can still change.
bool changes_containers(const Value& pod, const Value& before) {
  for (const char* list : {"containers", "initContainers"}) {
    const auto& now = pod["spec"][list].items();
    const auto& then = before["spec"][list].items();
    if (now.size() != then.size()) return true;
    for (size_t i = 0; i < now.size(); ++i) {
      if (!(now[i]["image"] == then[i]["image"])) return true;
    }
  }
  const auto& known = before["spec"]["ephemeralContainers"].items();
  return std::ranges::any_of(pod["spec"]["ephemeralContainers"].items(), [&](const Value& container) {
    return std::ranges::none_of(known, [&](const Value& old) {
      return old["name"] == container["name"] && old["image"] == container["image"];
    });
  });
}

PodPolicy policy_of(const Objects& objects, const std::string& name_space) {
  const Value home = objects.find({objects.kind("", "namespaces"), "", name_space});
  return pod_security_policy(home["metadata"]["labels"]).policy;
}

void note_violations(const PodSecurityRequest& request, const PodPolicy& policy, const Target& target,
                     const Value& object, const Value& pod) {
  const PodVerdict audited = judge_pod(policy.audit, pod["metadata"], pod["spec"]);
  if (!audited.allowed()) {
    log_info("pod security violation", {{"user", request.user},
                                        {"resource", target.kind->group_resource()},
                                        {"namespace", target.name_space},
                                        {"name", object["metadata"]["name"].str()},
                                        {"level", policy.audit.to_string()},
                                        {"violation", audited.details()}});
  }
  const PodVerdict warned =
      policy.warn == policy.audit ? audited : judge_pod(policy.warn, pod["metadata"], pod["spec"]);
  if (warned.allowed()) return;
  request.warnings.push_back("would violate PodSecurity \"" + policy.warn.to_string() +
                             "\": " + warned.details());
}

Result<void> check_pod(const PodSecurityRequest& request, const Target& target, const Value& pod,
                       const Value* before) {
  if (before && !changes_containers(pod, *before)) return {};
  const PodPolicy policy = policy_of(request.objects, target.name_space);
  const PodVerdict verdict = judge_pod(policy.enforce, pod["metadata"], pod["spec"]);
  if (!verdict.allowed()) {
    return std::unexpected(
        forbidden("", "pods", pod["metadata"]["name"].str(),
                  "violates PodSecurity \"" + policy.enforce.to_string() + "\": " + verdict.details()));
  }
  note_violations(request, policy, target, pod, pod);
  return {};
}

// Pods that break a level for the same reasons.
struct Breakers {
  std::string first;  // by name
  size_t count = 0;
  std::string to_string() const {
    if (count == 1) return first;
    if (count == 2) return first + " (and 1 other pod)";
    return first + " (and " + std::to_string(count - 1) + " other pods)";
  }
};

// One pod of each owner first: its others are most likely the same.
std::vector<Value> pods_by_owner(const Objects& objects, const std::string& name_space) {
  std::vector<Value> out, more;
  auto page =
      objects.store().list({collection_prefix({objects.kind("", "pods"), name_space, ""}), "", 0, {}});
  if (!page) return out;
  std::set<std::string> owners;
  for (const auto& entry : page->entries) {
    auto pod = json::parse(*entry.value);
    if (!pod) continue;
    std::string owner;
    for (const auto& reference : (*pod)["metadata"]["ownerReferences"].items()) {
      if (reference["controller"].as_bool()) owner = reference["uid"].str();
    }
    const bool another = !owner.empty() && !owners.insert(owner).second;
    (another ? more : out).push_back(std::move(*pod));
  }
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

void warn_of_pods(const PodSecurityRequest& request, const std::string& name_space,
                  const PodStandard& enforced) {
  std::map<std::string, Breakers> breakers;  // by reasons
  const auto pods = pods_by_owner(request.objects, name_space);
  const size_t checked = std::min(pods.size(), kMaxPodsChecked);
  for (size_t i = 0; i < checked; ++i) {
    const auto verdict = judge_pod(enforced, pods[i]["metadata"], pods[i]["spec"]);
    if (verdict.allowed()) continue;
    Breakers& same = breakers[verdict.reasons()];
    const std::string& name = pods[i]["metadata"]["name"].str();
    if (same.count++ == 0 || name < same.first) same.first = name;
  }
  if (checked < pods.size()) {
    request.warnings.push_back("new PodSecurity enforce level only checked against the first " +
                               std::to_string(checked) + " of " + std::to_string(pods.size()) +
                               " existing pods");
  }
  if (breakers.empty()) return;
  request.warnings.push_back("existing pods in namespace \"" + name_space +
                             "\" violate the new PodSecurity enforce level \"" + enforced.to_string() + "\"");
  std::set<std::string> lines;
  for (const auto& [reasons, same] : breakers) lines.insert(same.to_string() + ": " + reasons);
  request.warnings.insert(request.warnings.end(), lines.begin(), lines.end());
}

bool same_errors(const std::vector<FieldError>& a, const std::vector<FieldError>& b) {
  return std::ranges::equal(a, b, [](const FieldError& one, const FieldError& other) {
    return one.field == other.field && one.message == other.message;
  });
}

Result<void> check_labels(const PodSecurityRequest& request, const Value& object, const Value* before) {
  const std::string& name = object["metadata"]["name"].str();
  const auto now = pod_security_policy(object["metadata"]["labels"]);
  const auto then = pod_security_policy(before ? (*before)["metadata"]["labels"] : Value());
  // Labels that were wrong before this server looked at them do not bar other changes.
  if (!now.errors.empty() && !(before && same_errors(now.errors, then.errors)))
    return std::unexpected(invalid("", "Namespace", name, now.errors));
  const PodStandard& enforced = now.policy.enforce;
  const PodStandard& former = then.policy.enforce;
  const bool relaxed = enforced.minor == former.minor && enforced.level <= former.level;
  if (!before || relaxed || enforced.level == PodLevel::kPrivileged) return {};
  warn_of_pods(request, name, enforced);
  return {};
}

bool is_judged_subresource(const Target& target, const std::string& subresource) {
  if (subresource.empty()) return true;
  return is_core(*target.kind, "pods") && subresource != "status";
}

}  // namespace

Result<void> check_pod_security(const PodSecurityRequest& request, const Target& target, const Value& object,
                                const Value* before) {
  if (!is_judged_subresource(target, request.subresource)) return {};
  if (is_core(*target.kind, "namespaces")) return check_labels(request, object, before);
  if (is_core(*target.kind, "pods")) return check_pod(request, target, object, before);
  if (const Value* made = pod_template(*target.kind, object).value)
    note_violations(request, policy_of(request.objects, target.name_space), target, object, *made);
  return {};
}

}  // namespace skiff::kube
