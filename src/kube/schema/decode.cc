#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "base/yaml.h"
#include "kube/schema/conform.h"
#include "kube/schema/schema.h"
#include "kube/schema/strict_order.h"

namespace skiff::kube {
namespace {

using json::Value;

// More of a refused body is not repeated in an error.
constexpr size_t kMaxQuotedBody = 1024;
constexpr std::string_view kScheme = "pkg/api/legacyscheme/scheme.go:30";

std::string quote_body(std::string_view body) {
  if (body.empty()) return "<empty>";
  auto shown = body.substr(0, kMaxQuotedBody);
  auto text = body.front() == '{' ? std::string(shown) : hex(shown);
  return body.size() > kMaxQuotedBody ? text + " ..." : text;
}

std::unexpected<Error> unrecognized(const Kind& kind, std::string_view body, std::string_view why) {
  return fail(Code::kInvalidArgument,
              fmt::format("the object provided is unrecognized (must be of type {}): {} ({})", kind.kind, why,
                          quote_body(body)));
}

// "apps" of "apps", "core" of "", "rbac" of "rbac.authorization.k8s.io": the package of upstream's internal
// types.
std::string internal_package(const Kind& kind) {
  return kind.group.empty() ? "core" : kind.group.substr(0, kind.group.find('.'));
}

std::unexpected<Error> cannot_handle(const Kind& kind, std::string_view got, std::string_view version,
                                     std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("{} in version \"{}\" cannot be handled as a {}: {}", got,
                                                  version, kind.kind, why));
}

Result<Value> parse_body(const Registry& registry, const Kind& kind, MediaType media, std::string_view body,
                         std::vector<std::string>& duplicates) {
  json::ParseOptions options;
  options.duplicate_keys = &duplicates;
  auto parsed = media == MediaType::kProtobuf ? decode_protobuf(registry, body)
                : media == MediaType::kYaml   ? yaml::parse(body, options)
                                              : json::parse(body, options);
  if (!parsed) {
    const auto& why = parsed.error().message;
    if (media != MediaType::kJson) return unrecognized(kind, body, why);
    return unrecognized(kind, body, "couldn't get version/kind; json parse error: " + why);
  }
  if (parsed->is_object()) return parsed;
  std::string_view got = parsed->is_array()    ? "array"
                         : parsed->is_string() ? "string"
                         : parsed->is_bool()   ? "bool"
                                               : "number";
  return unrecognized(
      kind, body,
      fmt::format("couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value "
                  "of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                  "\"json:\\\"kind,omitempty\\\"\" }}",
                  got));
}

// Refuses another kind; fills in what is missing.
Result<void> check_kind(const Registry& registry, const Kind& kind, Value& object) {
  auto got_kind = object["kind"].str_or("");
  auto got_version = object["apiVersion"].str_or("");
  if (got_kind.empty()) got_kind = kind.kind;
  if (got_version.empty()) got_version = kind.api_version();
  // Options are accepted under the name of any group.
  bool same = got_kind == kind.kind && (got_version == kind.api_version() || kind.group == "meta.k8s.io");
  if (!same) {
    auto halves = split_once(got_version, "/");
    auto group = halves.found ? halves.before : std::string_view();
    auto version = halves.found ? halves.after : std::string_view(got_version);
    if (registry.find_kind(group, version, got_kind)) {
      return cannot_handle(kind, got_kind, version,
                           fmt::format("converting ({}.{}) to ({}.{}): unknown conversion", version, got_kind,
                                       internal_package(kind), kind.kind));
    }
    return cannot_handle(kind, got_kind, version,
                         fmt::format("no kind \"{}\" is registered for version \"{}\" in scheme \"{}\"",
                                     got_kind, got_version, kScheme));
  }
  object.set("kind", got_kind);
  object.set("apiVersion", got_version);
  return {};
}

Result<Value> conform_custom(const Kind& kind, const Value& object, std::vector<std::string>& findings) {
  std::vector<std::string> unknown;
  auto pruned = prune_custom(kind, object, &unknown);
  std::ranges::sort(unknown);
  // Reported after those of the metadata.
  const auto add_unknown = [&] { std::ranges::move(unknown, std::back_inserter(findings)); };
  static const Registry registry;
  const auto* meta = registry.find_type("meta/v1", "ObjectMeta");
  if (!object["metadata"].is_object() || meta == nullptr) {
    add_unknown();
    return pruned;
  }
  auto metadata = Conformer(&findings).convert(*meta, object["metadata"], FieldPath(FieldPath(), "metadata"));
  if (!metadata) return metadata;
  add_unknown();
  pruned.set("metadata", std::move(*metadata));
  return pruned;
}

}  // namespace

Result<Decoded> conform(const Kind& kind, Value object) {
  if (!object.is_object()) return fail(Code::kInvalidArgument, "the body is no object");
  Decoded decoded;
  auto converted = kind.type == nullptr
                       ? conform_custom(kind, object, decoded.strict_findings)
                       : Conformer(&decoded.strict_findings).convert(*kind.type, object, FieldPath());
  if (!converted) {
    return cannot_handle(kind, kind.kind, kind.version, converted.error().message);
  }
  decoded.object = std::move(*converted);
  return decoded;
}

Result<Value> conform_type(const Type& type, const Value& value, std::string_view kind_name) {
  if (!value.is_object() && !value.is_null()) {
    return fail(Code::kInvalidArgument, fmt::format("the body is no {} object", kind_name));
  }
  auto converted = Conformer(nullptr).convert(type, value, FieldPath());
  if (!converted) return wrap(converted.error(), fmt::format("{} cannot be read", kind_name));
  return converted;
}

Result<Decoded> decode(const Registry& registry, const Kind& kind, MediaType media, std::string_view body) {
  std::vector<std::string> duplicates;
  auto parsed = parse_body(registry, kind, media, body, duplicates);
  if (!parsed) return std::unexpected(parsed.error());
  SKIFF_RETURN_IF_ERROR(check_kind(registry, kind, *parsed));
  auto decoded = conform(kind, std::move(*parsed));
  if (!decoded) return decoded;
  if (media == MediaType::kJson && kind.type != nullptr && !duplicates.empty()) {
    decoded->strict_findings = order_findings(body, decoded->strict_findings, duplicates);
    return decoded;
  }
  // Found before the fields are looked at: by the reader of YAML, and of objects that have a schema.
  std::vector<std::string> findings;
  if (media == MediaType::kYaml) {
    if (!duplicates.empty()) findings.push_back(std::string(kYamlFindings) + join(duplicates, "\n  "));
    if (kind.type != nullptr) sort_findings(decoded->strict_findings);
  } else {
    for (const auto& path : duplicates) findings.push_back(fmt::format("duplicate field \"{}\"", path));
  }
  std::ranges::move(decoded->strict_findings, std::back_inserter(findings));
  decoded->strict_findings = std::move(findings);
  return decoded;
}

}  // namespace skiff::kube
