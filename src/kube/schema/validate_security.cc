// Security contexts of pods and containers: ids, profiles, sysctls.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr int64_t kLastId = INT32_MAX;
constexpr size_t kLongestSysctl = 253;

void check_id(const Value& id, const std::string& field, Findings& findings) {
  if (!id.is_int() || (id.as_int() >= 0 && id.as_int() <= kLastId)) return;
  findings.invalid(field, id, fmt::format("must be between 0 and {}, inclusive", kLastId));
}

void check_ids(const Value& context, const std::string& field, Findings& findings) {
  for (const char* name : {"fsGroup", "runAsUser", "runAsGroup"})
    check_id(context[name], fmt::format("{}.{}", field, name), findings);
  const auto& groups = context["supplementalGroups"];
  for (size_t i = 0; i < groups.size(); ++i)
    check_id(groups.at(i), fmt::format("{}.supplementalGroups[{}]", field, i), findings);
}

// What seccomp and AppArmor ask alike; `word` names the one that is meant.
struct ProfileKind {
  const char* member;
  const char* word;
};

void check_profile(const Value& context, const ProfileKind& kind, const std::string& field,
                   Findings& findings) {
  const auto& profile = context[kind.member];
  if (profile.is_null()) return;
  const auto at = fmt::format("{}.{}", field, kind.member);
  const auto& type = profile["type"].str();
  const auto& local = profile["localhostProfile"];
  const auto needed = fmt::format("must be set when {} type is Localhost", kind.word);
  if (type.empty()) {
    findings.required(at + ".type", fmt::format("type is required when {} is set", kind.member));
  } else if (type != "Localhost" && type != "RuntimeDefault" && type != "Unconfined") {
    findings.unsupported(at + ".type", profile["type"], {"Localhost", "RuntimeDefault", "Unconfined"});
  }
  if (type == "Localhost" && local.empty()) {
    findings.required(at + ".localhostProfile", needed);
  } else if (type == "Localhost" && std::string_view(kind.member) == "seccompProfile") {
    validate_descending_path(local, at + ".localhostProfile", findings);
  } else if (type == "Localhost" && trim(local.str()) != local.str()) {
    findings.invalid(at + ".localhostProfile", local, "must not be padded with whitespace");
  } else if (type != "Localhost" && !local.is_null()) {
    findings.invalid(at + ".localhostProfile", local,
                     fmt::format("can only be set when {} type is Localhost", kind.word));
  }
}

void check_profiles(const Value& context, const std::string& field, Findings& findings) {
  check_profile(context, {"seccompProfile", "seccomp"}, field, findings);
  check_profile(context, {"appArmorProfile", "AppArmor"}, field, findings);
}

bool is_sysctl_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() > kLongestSysctl) return false;
  const std::string dotted = replace_all(std::string(name), "/", ".");
  return std::ranges::all_of(split(dotted, '.'), [&](const std::string& part) {
    return !part.empty() && plain(part.front()) && plain(part.back()) &&
           std::ranges::all_of(part, [&](char c) { return plain(c) || c == '-' || c == '_'; });
  });
}

void check_sysctls(const Value& sysctls, const std::string& field, Findings& findings) {
  std::set<std::string> names;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const auto at = fmt::format("{}.sysctls[{}].name", field, i);
    const auto& name = sysctls.at(i)["name"].str();
    if (name.empty()) {
      findings.required(at);
    } else if (!is_sysctl_name(name)) {
      findings.invalid(at, Value(name),
                       "must have at most 253 characters and match regex "
                       "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (!names.insert(name).second) {
      findings.duplicate(at, Value(name));
    }
  }
}

}  // namespace

void validate_pod_security(const Value& spec, const std::string& field, Findings& findings) {
  const auto& context = spec["securityContext"];
  const auto at = field + ".securityContext";
  check_ids(context, at, findings);
  if (spec["hostPID"].as_bool() && spec["shareProcessNamespace"].as_bool())
    findings.invalid(at + ".shareProcessNamespace", Value(true),
                     "ShareProcessNamespace and HostPID cannot both be enabled");
  check_sysctls(context["sysctls"], at, findings);
  check_choice(context["fsGroupChangePolicy"], at + ".fsGroupChangePolicy", {"Always", "OnRootMismatch"},
               findings);
  check_choice(context["supplementalGroupsPolicy"], at + ".supplementalGroupsPolicy", {"Merge", "Strict"},
               findings);
  check_profiles(context, at, findings);
}

void validate_container_security(const Value& container, const std::string& field, Findings& findings) {
  const auto& context = container["securityContext"];
  const auto at = field + ".securityContext";
  check_ids(context, at, findings);
  check_choice(context["procMount"], at + ".procMount", {"Default", "Unmasked"}, findings);
  check_profiles(context, at, findings);
  const auto& escalation = context["allowPrivilegeEscalation"];
  if (escalation.is_null() || escalation.as_bool()) return;
  if (context["privileged"].as_bool()) {
    findings.invalid(at, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  for (const auto& capability : context["capabilities"]["add"].items()) {
    if (capability.str() != "CAP_SYS_ADMIN") continue;
    findings.invalid(at, context,
                     "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

}  // namespace skiff::kube
