// CustomResourceDefinitions beside their schemas: names, versions, scale paths, conversion, approval.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr const char* kApproval = "api-approved.kubernetes.io";

// What is wrong with a name, on one line.
void check_name(const Value& name, const std::string& field, Findings& findings) {
  if (name.empty()) return;
  if (const auto wrong = check_dns_1035_label(name.str()); !wrong.empty())
    findings.invalid(field, name, join(wrong, ","));
}

void check_kind(const Value& name, const std::string& field, Findings& findings) {
  if (name.empty()) return;
  if (const auto wrong = check_dns_1035_label(to_lower(name.str())); !wrong.empty())
    findings.invalid(field, name, "may have mixed case, but should otherwise match: " + join(wrong, ","));
}

void check_names(const Value& names, Findings& findings) {
  const std::string at = "spec.names.";
  check_name(names["plural"], at + "plural", findings);
  check_name(names["singular"], at + "singular", findings);
  check_kind(names["kind"], at + "kind", findings);
  check_kind(names["listKind"], at + "listKind", findings);
  for (const char* list : {"shortNames", "categories"}) {
    for (size_t i = 0; i < names[list].size(); ++i)
      check_name(names[list].at(i), fmt::format("{}{}[{}]", at, list, i), findings);
  }
  if (!names["kind"].empty() && names["kind"] == names["listKind"])
    findings.invalid(at + "listKind", names["listKind"], "kind and listKind may not be the same");
}

void check_group(const Value& group, Findings& findings) {
  if (group.empty()) return;
  if (const auto wrong = check_dns_subdomain(group.str()); !wrong.empty()) {
    findings.invalid("spec.group", group, join(wrong, ","));
  } else if (!group.str().contains('.')) {
    findings.invalid("spec.group", group, "should be a domain with at least one dot");
  }
}

void check_version_names(const Value& versions, Findings& findings) {
  std::set<std::string> seen;
  bool unique = true;
  for (size_t i = 0; i < versions.size(); ++i) {
    const auto& name = versions.at(i)["name"];
    const auto field = fmt::format("spec.versions[{}].name", i);
    if (const auto wrong = check_dns_1035_label(name.str()); !wrong.empty())
      findings.invalid(field, Value(name.str()), join(wrong, ","));
    unique = seen.insert(name.str()).second && unique;
  }
  if (!unique) findings.invalid("spec.versions", versions, "must contain unique version names");
}

// Paths of /scale are plain: ".spec.count".
void check_path(const Value& path, const std::string& field, std::initializer_list<std::string_view> below,
                std::string_view words, Findings& findings) {
  const auto& text = path.str();
  if (!text.starts_with('.'))
    return findings.invalid(field, path, "must be a simple json path starting with .");
  if (std::ranges::none_of(below, [&](std::string_view root) { return text.starts_with(root); }))
    findings.invalid(field, path, fmt::format("should be a json path under {}", words));
}

void check_scale(const Value& scale, const std::string& at, Findings& findings) {
  if (scale.is_null()) return;
  const struct {
    const char* name;
    std::string_view below;
  } needed[] = {{"specReplicasPath", ".spec"}, {"statusReplicasPath", ".status"}};
  for (const auto& [name, below] : needed) {
    const auto field = fmt::format("{}.scale.{}", at, name);
    if (scale[name].empty()) {
      findings.required(field);
    } else {
      check_path(scale[name], field, {std::string(below) + "."}, below, findings);
    }
  }
  if (!scale["labelSelectorPath"].empty())
    check_path(scale["labelSelectorPath"], at + ".scale.labelSelectorPath", {".spec.", ".status."},
               "either .spec or .status", findings);
}

// Upstream moves what all versions have in common to the top before it looks.
void check_scales(const Value& versions, Findings& findings) {
  const bool shared = std::ranges::all_of(versions.items(), [&](const Value& one) {
    return one["subresources"] == versions.at(0)["subresources"];
  });
  for (size_t i = 0; i < versions.size() && (!shared || i == 0); ++i) {
    check_scale(versions.at(i)["subresources"]["scale"],
                shared ? "spec.subresources" : fmt::format("spec.versions[{}].subresources", i), findings);
  }
}

// The paths are those of upstream's own form of a definition.
void check_webhook(const Value& webhook, Findings& findings) {
  const std::string client = "spec.conversion.webhookClientConfig";
  const std::string reviews = "spec.conversion.conversionReviewVersions";
  const auto& config = webhook["clientConfig"];
  if (config.is_null()) {
    findings.required(client, "required when strategy is set to Webhook");
  } else if (config["url"].is_null() == config["service"].is_null()) {
    findings.required(client, "exactly one of url or service is required");
  }
  const auto& versions = webhook["conversionReviewVersions"];
  if (versions.empty()) return findings.required(reviews);
  const auto known = [](const Value& version) { return version.str() == "v1" || version.str() == "v1beta1"; };
  if (std::ranges::none_of(versions.items(), known))
    findings.invalid(reviews, versions, "must include at least one of v1, v1beta1");
}

void check_conversion(const Value& conversion, Findings& findings) {
  if (conversion.is_null()) return;
  const auto& strategy = conversion["strategy"].str();
  if (strategy.empty()) {
    findings.required("spec.conversion.strategy");
  } else if (strategy != "None" && strategy != "Webhook") {
    findings.unsupported("spec.conversion.strategy", conversion["strategy"], {"None", "Webhook"});
  }
  const auto& webhook = conversion["webhook"];
  const std::string_view words = "should not be set when strategy is not set to Webhook";
  if (strategy == "Webhook") {
    check_webhook(webhook, findings);
  } else if (!webhook["clientConfig"].is_null()) {
    findings.forbidden("spec.conversion.webhookClientConfig", words);
  } else if (!webhook["conversionReviewVersions"].empty()) {
    findings.forbidden("spec.conversion.conversionReviewVersions", words);
  }
}

bool is_protected(std::string_view group) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"k8s.io", "kubernetes.io"},
      [&](std::string_view own) { return group == own || group.ends_with("." + std::string(own)); });
}

// Groups of the Kubernetes project are taken with its approval, or with a word that there is none.
void check_approval(const Value& definition, const Value* old, Findings& findings) {
  if (!is_protected(definition["spec"]["group"].str())) return;
  const auto& approval = definition["metadata"]["annotations"][kApproval];
  if (old != nullptr && (*old)["metadata"]["annotations"][kApproval] == approval) return;
  const auto& text = approval.str();
  const auto field = fmt::format("metadata.annotations[{}]", kApproval);
  const std::string words = fmt::format("protected groups must have approval annotation \"{}\"", kApproval);
  const std::string where = ", see https://github.com/kubernetes/enhancements/pull/1111";
  const auto [scheme, rest, found] = split_once(text, "://");
  const bool url = found && !scheme.empty() && !rest.empty() && !rest.starts_with('/');
  if (text.empty()) {
    findings.required(field, words + where);
  } else if (!text.starts_with("unapproved") && !url) {
    findings.invalid(field, approval,
                     words + " with either a URL or a reason starting with \"unapproved\"" + where);
  }
}

}  // namespace

void validate_definition_names(const Value& definition, const Value* old, Findings& findings) {
  const auto& spec = definition["spec"];
  // What is stored may stand: earlier rules allowed more.
  const auto changed = [&](std::string_view member) {
    return old == nullptr || (*old)["spec"][member] != spec[member];
  };
  if (changed("group")) check_group(spec["group"], findings);
  if (changed("scope") && !spec["scope"].empty())
    check_choice(spec["scope"], "spec.scope", {"Cluster", "Namespaced"}, findings);
  if (changed("versions")) {
    check_version_names(spec["versions"], findings);
    check_scales(spec["versions"], findings);
  }
  if (changed("names")) check_names(spec["names"], findings);
  if (changed("conversion")) check_conversion(spec["conversion"], findings);
  check_approval(definition, old, findings);
  if (changed("preserveUnknownFields") && spec["preserveUnknownFields"].as_bool()) {
    findings.invalid("spec.preserveUnknownFields", Value(true),
                     "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                     "spec.versions[*].schema instead");
  }
}

}  // namespace skiff::kube
