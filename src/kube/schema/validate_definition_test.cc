// What of definitions is refused beside their schemas, as upstream refuses it.
#include <doctest/doctest.h>

#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

Value parse(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

void merge(Value& into, const Value& changes) {
  for (const auto& [name, value] : changes.members()) {
    if (value.is_object() && into[name].is_object()) {
      merge(into.edit(name), value);
    } else {
      into.set(name, value);
    }
  }
}

// The definition of gizmos, with changes.
Value definition(std::string_view changes) {
  Value out = parse(
      R"({"metadata":{"name":"gizmos.e.example.com"},"spec":{"group":"e.example.com","scope":"Namespaced",
      "names":{"plural":"gizmos","singular":"gizmo","kind":"Gizmo","listKind":"GizmoList"},
      "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
  merge(out, parse(changes));
  const Value& spec = out["spec"];
  out.edit("metadata").set("name", spec["names"]["plural"].str() + "." + spec["group"].str());
  return out;
}

std::string errors_of(const Value& object, const Value* old = nullptr) {
  static const Registry registry;
  std::string out;
  for (const auto& error :
       validate(*registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions"), object, old))
    out += (out.empty() ? "" : "\n") + error.field + ": " + error.message;
  return out;
}

TEST_CASE("names, scope and conversion of a definition are those that can be") {
  const struct {
    const char* changes;
    const char* error;
  } cases[] = {
      {"{}", ""},
      {R"({"spec":{"group":"example"}})",
       "spec.group: Invalid value: \"example\": should be a domain with at least one dot"},
      {R"({"spec":{"scope":"Clustered"}})",
       "spec.scope: Unsupported value: \"Clustered\": supported values: \"Cluster\", \"Namespaced\""},
      {R"({"spec":{"names":{"listKind":"Gizmo"}}})",
       "spec.names.listKind: Invalid value: \"Gizmo\": kind and listKind may not be the same"},
      {R"({"spec":{"group":"a.k8s.io"}})",
       "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have "
       "approval "
       "annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"},
      {R"({"metadata":{"annotations":{"api-approved.kubernetes.io":"unapproved, a test"}},"spec":{"group":"a.k8s.io"}})",
       ""},
      {R"({"metadata":{"annotations":{"api-approved.kubernetes.io":"https://a.io/1"}},"spec":{"group":"a.k8s.io"}})",
       ""},
      {R"({"spec":{"conversion":{"strategy":"x"}}})",
       "spec.conversion.strategy: Unsupported value: \"x\": supported values: \"None\", \"Webhook\""},
      {R"({"spec":{"conversion":{"strategy":"Webhook"}}})",
       "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook\n"
       "spec.conversion.conversionReviewVersions: Required value"},
      {R"({"spec":{"conversion":{"strategy":"None","webhook":{"clientConfig":{"url":"https://a"}}}}})",
       "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to "
       "Webhook"},
      {R"({"spec":{"preserveUnknownFields":true}})",
       "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
       "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"},
      {R"({"spec":{"versions":[{"name":"v1","storage":true,"schema":{"openAPIV3Schema":{"type":"object"}},
           "subresources":{"scale":{"specReplicasPath":"spec.a","statusReplicasPath":".spec.b"}}}]}})",
       "spec.subresources.scale.specReplicasPath: Invalid value: \"spec.a\": must be a simple json path "
       "starting "
       "with .\nspec.subresources.scale.statusReplicasPath: Invalid value: \".spec.b\": should be a json "
       "path under "
       ".status"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.changes);
    CHECK(errors_of(definition(one.changes)) == one.error);
  }
}

TEST_CASE("kinds and versions are labels, versions differ, and what was stored before may stand") {
  const Value kind = definition(R"({"spec":{"names":{"kind":"A_b"}}})");
  CHECK(
      errors_of(kind).starts_with("spec.names.kind: Invalid value: \"A_b\": may have mixed case, but should "
                                  "otherwise match: a DNS-1035 label"));
  CHECK(errors_of(kind, &kind) == "");
  const auto versions = [](const std::string& first, const std::string& second) {
    return definition(R"({"spec":{"versions":[{"name":")" + first +
                      R"(","storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}},{"name":")" +
                      second + R"(","schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
  };
  CHECK(errors_of(versions("v1", "v2")) == "");
  CHECK(errors_of(versions("v1", "v1")).ends_with(": must contain unique version names"));
  CHECK(errors_of(versions("v1", "V_1"))
            .starts_with("spec.versions[1].name: Invalid value: \"V_1\": a DNS-1035"));
}

}  // namespace
}  // namespace skiff::kube
