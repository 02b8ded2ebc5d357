#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

std::string findings(const Kind& kind, const std::string& body, MediaType media = MediaType::kJson) {
  static const Registry registry;
  const auto decoded = decode(registry, kind, media, body);
  return decoded ? join(decoded->strict_findings, ", ") : decoded.error().message;
}

std::string of_deployment(const std::string& body, MediaType media = MediaType::kJson) {
  static const Registry registry;
  return findings(*registry.find("apps", "v1", "deployments"), body, media);
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
  CHECK(findings(kind, "spec:\n  b: 1\n  a: 2\n  b: 3\nmetadata: {name: g, foo: 1}\n", MediaType::kYaml) ==
        "yaml: unmarshal errors:\n  line 4: key \"b\" already set in map, "
        R"(unknown field "metadata.foo", unknown field "spec.a", unknown field "spec.b")");
}

TEST_CASE("of YAML, duplicates come first and by line, then what is unknown in the order of sorted keys") {
  const std::string body =
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  unknown1: val1\n"
      "  unknownDupe: valDupe\n  unknownDupe: valDupe2\n  paused: true\n  paused: false\n  template:\n"
      "    spec:\n      containers:\n      - name: a\n        imag: x\n      - name: nginx\n"
      "        unknownNested: val1\n        imagePullPolicy: Always\n        imagePullPolicy: Never\nbar: "
      "1\n";
  CHECK(of_deployment(body, MediaType::kYaml) ==
        "yaml: unmarshal errors:\n"
        "  line 8: key \"unknownDupe\" already set in map\n"
        "  line 10: key \"paused\" already set in map\n"
        "  line 19: key \"imagePullPolicy\" already set in map, "
        "unknown field \"bar\", "
        "unknown field \"spec.template.spec.containers[0].imag\", "
        "unknown field \"spec.template.spec.containers[1].unknownNested\", "
        "unknown field \"spec.unknown1\", unknown field \"spec.unknownDupe\"");
  CHECK(of_deployment("spec: {zork: 1, abc: 2}\n", MediaType::kYaml) ==
        R"(unknown field "spec.abc", unknown field "spec.zork")");
}

TEST_CASE("items of a list are in the order of their numbers") {
  std::string body = "spec:\n  template:\n    spec:\n      containers:\n";
  for (int i = 0; i < 11; ++i) body += i == 2 || i == 10 ? "      - x: 1\n" : "      - name: a\n";
  CHECK(of_deployment(body, MediaType::kYaml) == R"(unknown field "spec.template.spec.containers[2].x", )"
                                                 R"(unknown field "spec.template.spec.containers[10].x")");
}

}  // namespace
}  // namespace skiff::kube
