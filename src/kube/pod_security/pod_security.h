// The Pod Security Standards: what a pod may ask for in a namespace of a level, and what a namespace's labels
// say that its level is (kubernetes.io/docs/concepts/security/pod-security-standards).
//
// Pure: labels and pods in, verdicts out. A namespace without labels has the level kDefaultLevel, because who
// may create a pod that is privileged, mounts the host's folders or uses its network is root on the machine.
//
//   const auto policy = pod_security_policy(name_space["metadata"]["labels"]).policy;
//   const auto verdict = judge_pod(policy.enforce, pod["metadata"], pod["spec"]);
//   if (!verdict.allowed()) ...verdict.details()
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// In order of strictness.
enum class PodLevel {
  kPrivileged,  // everything
  kBaseline,    // nothing that is a known way to the machine
  kRestricted,  // unprivileged users without capabilities, under seccomp
};
constexpr PodLevel kDefaultLevel = PodLevel::kBaseline;

// A level as it was defined by a version of Kubernetes.
struct PodStandard {
  static constexpr int kLatest = -1;
  PodLevel level = kDefaultLevel;
  int minor = kLatest;            // of v1.<minor>
  std::string to_string() const;  // "baseline:latest", "restricted:v1.25"
  bool operator==(const PodStandard&) const = default;
};

// What a namespace refuses, what it logs, and what it warns about.
struct PodPolicy {
  PodStandard enforce, audit, warn;
};
struct PodPolicyOfLabels {
  PodPolicy policy;                // usable even with errors: a level that can't be read is the strictest
  std::vector<FieldError> errors;  // of labels whose value is no level or version
};
// Audit and warn are what enforce is, unless they have labels of their own.
PodPolicyOfLabels pod_security_policy(const json::Value& labels);

// What a pod asks for beyond a standard; nothing when it is allowed.
struct PodVerdict {
  struct Finding {
    std::string reason;  // "privileged"
    std::string detail;  // `container "c" must not set securityContext.privileged=true`
  };
  std::vector<Finding> findings;
  bool allowed() const { return findings.empty(); }
  std::string reasons() const;  // "host namespaces, privileged"
  std::string details() const;  // "host namespaces (hostNetwork=true), privileged (container ...)"
};
// `metadata` and `spec` are a pod's or those of a pod template.
PodVerdict judge_pod(const PodStandard& standard, const json::Value& metadata, const json::Value& spec);

}  // namespace skiff::kube
