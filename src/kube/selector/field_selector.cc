#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "kube/selector/selector.h"

namespace skiff::kube {

namespace {

// At commas that no backslash escapes.
std::vector<std::string> split_terms(std::string_view text) {
  std::vector<std::string> terms(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      terms.back() += text[i++];
      terms.back() += text[i];
    } else if (text[i] == ',') {
      terms.emplace_back();
    } else {
      terms.back() += text[i];
    }
  }
  return terms;
}

struct Term {
  std::string_view path, value;
  bool equal = true;
};

bool split_term(std::string_view text, Term& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    auto rest = text.substr(i);
    size_t length = rest.starts_with("!=") || rest.starts_with("==") ? 2 : rest.starts_with("=") ? 1 : 0;
    if (length == 0) continue;
    out = {text.substr(0, i), rest.substr(length), rest[0] != '!'};
    return true;
  }
  return false;
}

Result<std::string> unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      bool known =
          i + 1 < text.size() && std::string_view("\\,=").find(text[i + 1]) != std::string_view::npos;
      if (!known) {
        return fail(Code::kInvalidArgument,
                    fmt::format("invalid field selector: invalid escape sequence: {}", text.substr(i, 2)));
      }
      result += text[++i];
    } else if (text[i] == ',' || text[i] == '=') {
      return fail(Code::kInvalidArgument,
                  fmt::format("invalid field selector: unescaped character in value: {}", int{text[i]}));
    } else {
      result += text[i];
    }
  }
  return result;
}

const json::Value& walk(const json::Value& object, std::string_view path) {
  const json::Value* at = &object;
  for (const auto& piece : split(path, '.')) at = &(*at)[piece];
  return *at;
}

// What an absent field counts as.
std::string_view zero_of(std::string_view path) {
  if (path == "spec.hostNetwork" || path == "spec.unschedulable") return "false";
  if (path == "status.replicas" || path == "status.successful") return "0";
  return "";
}

std::string text_of(const json::Value& value) {
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return std::to_string(value.as_int());
  if (value.kind() == json::Kind::kUint) return json::encode(value);
  return value.str();
}
std::string text_of(const json::Value& object, std::string_view path) {
  const json::Value& value = walk(object, path);
  return value.is_null() ? std::string(zero_of(path)) : text_of(value);
}

// Fields whose name is not where the value is.
std::string looked_up(const json::Value& object, const std::string& path) {
  if (path == "source" && object["kind"].str() == "Event") {
    // The newer group has other names.
    const bool newer = object.contains("regarding");
    return object[newer ? "deprecatedSource" : "source"]["component"].str_or(
        object[newer ? "reportingController" : "reportingComponent"].str());
  }
  if (path == "status.podIPs") return object["status"]["podIPs"].at(0)["ip"].str();
  if (path == "status.successful") return text_of(object, "status.succeeded");
  return text_of(object, path);
}

struct Selectable {
  std::string_view group, kind, path;
};
constexpr std::array kSelectable = std::to_array<Selectable>({
    {"", "Pod", "spec.nodeName"},
    {"", "Pod", "spec.restartPolicy"},
    {"", "Pod", "spec.schedulerName"},
    {"", "Pod", "spec.serviceAccountName"},
    {"", "Pod", "spec.hostNetwork"},
    {"", "Pod", "status.phase"},
    {"", "Pod", "status.podIP"},
    {"", "Pod", "status.podIPs"},
    {"", "Pod", "status.nominatedNodeName"},
    {"", "Node", "spec.unschedulable"},
    {"", "Namespace", "status.phase"},
    {"", "Secret", "type"},
    {"", "Service", "spec.clusterIP"},
    {"", "Service", "spec.type"},
    {"", "ReplicationController", "status.replicas"},
    {"apps", "ReplicaSet", "status.replicas"},
    {"batch", "Job", "status.successful"},
    {"certificates.k8s.io", "CertificateSigningRequest", "spec.signerName"},
});
// Of the object that an event is about.
constexpr std::array kAboutFields = std::to_array<std::string_view>(
    {"kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"});

bool is_event_field(bool core, std::string_view path) {
  const std::string_view about = core ? "involvedObject." : "regarding.";
  if (path.starts_with(about))
    return std::ranges::find(kAboutFields, path.substr(about.size())) != kAboutFields.end();
  return path == "reason" || path == "source" || path == "type" ||
         path == (core ? "reportingComponent" : "reportingController");
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  auto terms = split_terms(text);
  std::ranges::sort(terms);
  FieldSelector result;
  for (const auto& part : terms) {
    if (part.empty()) continue;
    Term term;
    if (!split_term(part, term)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("invalid selector: '{}'; can't understand '{}'", text, part));
    }
    auto value = unescape(term.value);
    if (!value) return std::unexpected(value.error());
    result.requirements_.push_back({std::string(term.path), std::move(*value), term.equal});
  }
  return result;
}

bool FieldSelector::matches(const json::Value& object, Paths paths) const {
  return std::ranges::all_of(requirements_, [&](const FieldRequirement& one) {
    const std::string found =
        paths == Paths::kAsWritten ? text_of(walk(object, one.path)) : looked_up(object, one.path);
    return (found == one.value) == one.equal;
  });
}

bool is_selectable_field(std::string_view group, std::string_view kind, std::string_view path) {
  if (path == "metadata.name" || path == "metadata.namespace") return true;
  if (kind == "Event" && (group.empty() || group == "events.k8s.io")) {
    return is_event_field(group.empty(), path);
  }
  return std::ranges::any_of(kSelectable, [&](const Selectable& one) {
    return one.group == group && one.kind == kind && one.path == path;
  });
}

}  // namespace skiff::kube
