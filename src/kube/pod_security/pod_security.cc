#include "kube/pod_security/pod_security.h"

#include <optional>

#include "base/strings.h"
#include "kube/pod_security/checks.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kLabelPrefix = "pod-security.kubernetes.io/";
constexpr int kNewestMinor = 32;  // the last version that changed a check
constexpr int kNever = 1000;

struct Check {
  PodLevel level;
  int since;       // v1.<since>
  int superseded;  // from this version on the restricted level has a stricter check of the same
  PodFinding (*run)(const PodView& pod);
};

// In the order in which findings are told.
constexpr Check kChecks[] = {
    {PodLevel::kBaseline, 0, kNever, check_app_armor},
    {PodLevel::kBaseline, 0, 22, check_capabilities},
    {PodLevel::kBaseline, 0, kNever, check_host_namespaces},
    {PodLevel::kBaseline, 0, 0, check_host_path_volumes},
    {PodLevel::kBaseline, 0, kNever, check_host_ports},
    {PodLevel::kBaseline, 0, kNever, check_privileged},
    {PodLevel::kBaseline, 0, kNever, check_proc_mount},
    {PodLevel::kBaseline, 0, kNever, check_se_linux},
    {PodLevel::kBaseline, 0, 19, check_seccomp},
    {PodLevel::kBaseline, 0, kNever, check_sysctls},
    {PodLevel::kBaseline, 0, kNever, check_windows_host_process},
    {PodLevel::kRestricted, 8, kNever, check_privilege_escalation},
    {PodLevel::kRestricted, 22, kNever, check_dropped_capabilities},
    {PodLevel::kRestricted, 0, kNever, check_volume_types},
    {PodLevel::kRestricted, 0, kNever, check_run_as_non_root},
    {PodLevel::kRestricted, 23, kNever, check_run_as_user},
    {PodLevel::kRestricted, 19, kNever, check_set_seccomp},
};

std::optional<PodLevel> parse_level(const std::string& text) {
  if (text == "privileged") return PodLevel::kPrivileged;
  if (text == "baseline") return PodLevel::kBaseline;
  if (text == "restricted") return PodLevel::kRestricted;
  return std::nullopt;
}

const char* level_name(PodLevel level) {
  switch (level) {
    case PodLevel::kPrivileged:
      return "privileged";
    case PodLevel::kBaseline:
      return "baseline";
    case PodLevel::kRestricted:
      break;
  }
  return "restricted";
}

// "latest" or "v1.<minor>", without leading zeros.
std::optional<int> parse_version(const std::string& text) {
  constexpr std::string_view kMajor = "v1.";
  constexpr size_t kMaxDigits = 6;
  if (text == "latest") return PodStandard::kLatest;
  if (!text.starts_with(kMajor)) return std::nullopt;
  const std::string_view digits = std::string_view(text).substr(kMajor.size());
  if (digits.empty() || digits.size() > kMaxDigits || (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return static_cast<int>(*parse_uint(digits));
}

FieldError label_error(const std::string& label, const std::string& value, const char* expected) {
  return {"FieldValueInvalid", "metadata.labels[" + label + "]",
          "Invalid value: " + json::encode(value) + ": " + expected};
}

// What the labels of one mode say, over `standard`. A level that can't be read becomes `otherwise`.
void read_mode(const json::Value& labels, const char* mode, PodLevel otherwise, PodStandard& standard,
               std::vector<FieldError>& errors) {
  const std::string label = std::string(kLabelPrefix) + mode;
  if (const auto* value = labels.find(label)) {
    const auto level = parse_level(value->str());
    standard.level = level.value_or(otherwise);
    if (!level)
      errors.push_back(label_error(label, value->str(), "must be one of privileged, baseline, restricted"));
  }
  if (const auto* value = labels.find(label + "-version")) {
    const auto minor = parse_version(value->str());
    standard.minor = minor.value_or(PodStandard::kLatest);
    if (!minor)
      errors.push_back(label_error(label + "-version", value->str(), R"(must be "latest" or "v1.x")"));
  }
}

}  // namespace

std::string PodStandard::to_string() const {
  const std::string version = minor == kLatest ? "latest" : "v1." + std::to_string(minor);
  return std::string(level_name(level)) + ":" + version;
}

PodPolicyOfLabels pod_security_policy(const json::Value& labels) {
  PodPolicyOfLabels out;
  read_mode(labels, "enforce", PodLevel::kRestricted, out.policy.enforce, out.errors);
  out.policy.audit = out.policy.warn = out.policy.enforce;
  // Who mistypes a level refuses more than was meant, but is not told so at each pod.
  read_mode(labels, "audit", PodLevel::kPrivileged, out.policy.audit, out.errors);
  read_mode(labels, "warn", PodLevel::kPrivileged, out.policy.warn, out.errors);
  return out;
}

std::string PodVerdict::reasons() const {
  std::vector<std::string> out;
  for (const auto& finding : findings) out.push_back(finding.reason);
  return join(out, ", ");
}

std::string PodVerdict::details() const {
  std::vector<std::string> out;
  for (const auto& finding : findings) out.push_back(finding.reason + " (" + finding.detail + ")");
  return join(out, ", ");
}

PodVerdict judge_pod(const PodStandard& standard, const json::Value& metadata, const json::Value& spec) {
  PodVerdict verdict;
  const int minor =
      standard.minor == PodStandard::kLatest ? kNewestMinor : std::min(standard.minor, kNewestMinor);
  const PodView pod{metadata["annotations"], spec, minor};
  for (const auto& check : kChecks) {
    if (check.level > standard.level || minor < check.since) continue;
    if (standard.level == PodLevel::kRestricted && minor >= check.superseded) continue;
    if (auto finding = check.run(pod)) verdict.findings.push_back(std::move(*finding));
  }
  return verdict;
}

}  // namespace skiff::kube
