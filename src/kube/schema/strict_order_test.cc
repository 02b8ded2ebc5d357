#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

std::string findings(const Kind& kind, const std::string& body) {
  static const Registry registry;
  const auto decoded = decode(registry, kind, MediaType::kJson, body);
  return decoded ? join(decoded->strict_findings, ", ") : decoded.error().message;
}

std::string of_deployment(const std::string& body) {
  static const Registry registry;
  return findings(*registry.find("apps", "v1", "deployments"), body);
}

TEST_CASE("strict findings come in the order of the text") {
  CHECK(of_deployment(R"({"spec":{"unknownField":"foo","replicas":2,"replicas":3}})") ==
        R"(unknown field "spec.unknownField", duplicate field "spec.replicas")");
  CHECK(of_deployment(R"({"spec":{"replicas":2,"unknownField":"foo","replicas":3}})") ==
        R"(unknown field "spec.unknownField", duplicate field "spec.replicas")");
  CHECK(of_deployment(R"({"spec":{"replicas":2,"replicas":3,"unknownField":"foo"}})") ==
        R"(duplicate field "spec.replicas", unknown field "spec.unknownField")");
  CHECK(of_deployment(R"({"spec" : {"x":[{"y":"}\"]"},2],"paused":true,"paused":true,
      "template":{"spec":{"containers":[{"name":"a"},{"image":"b","imag":"c","\u0069mage":"d"}]}}}})") ==
        R"(unknown field "spec.x", duplicate field "spec.paused", )"
        R"(unknown field "spec.template.spec.containers[1].imag", )"
        R"(duplicate field "spec.template.spec.containers[1].image")");
}

TEST_CASE("a field that is unknown twice or stands thrice is reported once") {
  CHECK(of_deployment(R"({"spec":{"zork":1,"zork":2,"replicas":1,"replicas":2,"replicas":3}})") ==
        R"(unknown field "spec.zork", duplicate field "spec.replicas")");
}

TEST_CASE("of objects with a schema, duplicates come first, then the metadata, then the rest sorted") {
  Kind kind;
  kind.group = "e.example.com";
  kind.version = "v1";
  kind.kind = "Gizmo";
  kind.custom = true;
  kind.custom_schema = *json::parse(R"({"type":"object","properties":{"spec":{"type":"object"}}})");
  CHECK(findings(kind, R"({"spec":{"b":1,"a":2,"b":3},"metadata":{"name":"g","foo":1}})") ==
        R"(duplicate field "spec.b", unknown field "metadata.foo", )"
        R"(unknown field "spec.a", unknown field "spec.b")");
}

}  // namespace
}  // namespace skiff::kube
