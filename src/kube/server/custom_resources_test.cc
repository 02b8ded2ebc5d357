// CustomResourceDefinitions and the objects of their kinds, through the API.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kDefinition = kDefinitions + "/gizmos.e.example.com";
const std::string kGizmos = "/apis/e.example.com/v1/namespaces/default/gizmos";

std::string definition(const std::string& spec_schema) {
  return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"gizmos.e.example.com"},"spec":{"group":"e.example.com","scope":"Namespaced",
    "names":{"plural":"gizmos","kind":"Gizmo","shortNames":["gz"],"categories":["all"]},
    "versions":[{"name":"v1","served":true,"storage":true,
      "subresources":{"status":{},"scale":{"specReplicasPath":".spec.count","statusReplicasPath":".status.ready"}},
      "additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"},
        {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}],
      "schema":{"openAPIV3Schema":{"type":"object","properties":{
        "spec":{"type":"object",)" +
         spec_schema + R"(},"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}})";
}

const std::string kPlain = R"("required":["size"],"properties":{"size":{"type":"integer","maximum":5},
  "count":{"type":"integer"},"color":{"type":"string","enum":["red","blue"],"default":"red"}})";

std::string gizmo(const std::string& name, const std::string& spec) {
  return R"({"apiVersion":"e.example.com/v1","kind":"Gizmo","metadata":{"name":")" + name + R"("},"spec":)" +
         spec + "}";
}

void define(ServerRig& rig, const std::string& spec_schema = kPlain) {
  REQUIRE(rig.ask("POST", kDefinitions, definition(spec_schema)).status == 201);
}

std::string condition(const json::Value& object, std::string_view type) {
  for (const auto& one : object["status"]["conditions"].items()) {
    if (one["type"].str() == type) return one["status"].str();
  }
  return "";
}

TEST_CASE("a definition is established and served as soon as its creation is acknowledged") {
  ServerRig rig;
  const auto made = rig.ask("POST", kDefinitions, definition(kPlain));
  REQUIRE(made.status == 201);
  CHECK(condition(made.body, "Established") == "True");
  CHECK(condition(made.body, "NamesAccepted") == "True");
  CHECK(made.body["status"]["storedVersions"].at(0).str() == "v1");
  CHECK(made.body["status"]["acceptedNames"]["listKind"].str() == "GizmoList");
  CHECK(rig.ask("POST", kGizmos, gizmo("g", R"({"size":1})")).status == 201);
  const auto listed = rig.ask("GET", "/apis/e.example.com/v1");
  CHECK(listed.body["resources"].at(0)["shortNames"].at(0).str() == "gz");
  CHECK(listed.body["resources"].at(0)["categories"].at(0).str() == "all");
}

TEST_CASE("names that another kind of the group has are not accepted") {
  ServerRig rig;
  std::string second = definition(kPlain);
  define(rig);
  for (size_t at = second.find("gizmos"); at != std::string::npos; at = second.find("gizmos"))
    second.replace(at, 6, "widgets");
  const auto made = rig.ask("POST", kDefinitions, second);
  REQUIRE(made.status == 201);
  CHECK(condition(made.body, "Established") == "False");
  const auto reason = [&](const std::string& names) {
    std::string other = definition(kPlain);
    for (size_t at = other.find("gizmos"); at != std::string::npos; at = other.find("gizmos"))
      other.replace(at, 6, "others");
    const size_t at = other.find(R"("kind":"Gizmo")");
    other.replace(at, std::string_view(R"("kind":"Gizmo","shortNames":["gz"])").size(), names);
    const auto made_too = rig.ask("POST", kDefinitions, other);
    rig.ask("DELETE", kDefinitions + "/others.e.example.com");
    return made_too.body["status"]["conditions"].at(0)["reason"].str();
  };
  CHECK(reason(R"("kind":"Other","shortNames":["gz"])") == "ShortNamesConflict");
  CHECK(reason(R"("kind":"Other","singular":"gizmo")") == "SingularConflict");
  CHECK(reason(R"("kind":"Other","listKind":"GizmoList")") == "ListKindConflict");
  CHECK(reason(R"("kind":"Other")") == "NoConflicts");
  CHECK(rig.ask("GET", "/apis/e.example.com/v1/widgets").status == 404);
}

TEST_CASE("custom objects get defaults, lose unknown fields and are checked") {
  ServerRig rig;
  define(rig);
  const auto made = rig.ask("POST", kGizmos, gizmo("g", R"({"size":1,"zork":1})"));
  REQUIRE(made.status == 201);
  CHECK(made.body["spec"]["color"].str() == "red");
  CHECK_FALSE(made.body["spec"].contains("zork"));
  CHECK(made.headers.get("Warning") == "299 - \"unknown field \\\"spec.zork\\\"\"");
  const auto strict =
      rig.ask("POST", kGizmos + "?fieldValidation=Strict", gizmo("h", R"({"size":1,"zork":1})"));
  CHECK(strict.body["message"].str() ==
        "Gizmo in version \"v1\" cannot be handled as a Gizmo: strict decoding error: unknown field "
        "\"spec.zork\"");
  const auto high = rig.ask("POST", kGizmos, gizmo("h", R"({"size":9})"));
  CHECK(high.status == 422);
  CHECK(high.body["message"].str() ==
        "Gizmo.e.example.com \"h\" is invalid: spec.size: Invalid value: 9: spec.size in body should be less "
        "than or equal to 5");
}

TEST_CASE("a null where none may be is as if it were not given") {
  ServerRig rig;
  define(rig, R"("properties":{"a":{"type":"string"},"d":{"type":"string","default":"x"},
      "n":{"type":"string","nullable":true},"m":{"type":"object","additionalProperties":{"type":"integer"}},
      "l":{"type":"array","items":{"type":"object","properties":{"b":{"type":"integer"}}}}})");
  const auto made =
      rig.ask("POST", kGizmos, gizmo("g", R"({"a":null,"d":null,"n":null,"m":{"k":null},"l":[{"b":null}]})"));
  CHECK(made.status == 201);
  CHECK(json::encode(made.body["spec"]) == R"({"d":"x","l":[{}],"m":{},"n":null})");
  CHECK(rig.ask("POST", kGizmos, gizmo("h", R"({"l":[null]})")).status == 422);
}

TEST_CASE("schemas are combined with allOf, anyOf, oneOf and not") {
  ServerRig rig;
  define(rig, R"("properties":{
    "all":{"type":"integer","allOf":[{"minimum":2},{"maximum":4}]},
    "any":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"pattern":"^a"}]},
    "one":{"type":"integer","oneOf":[{"minimum":2},{"minimum":4}]},
    "no":{"type":"string","not":{"enum":["bad"]}}})");
  const auto code = [&](const char* spec) {
    return rig.ask("POST", kGizmos + "?dryRun=All", gizmo("g", spec)).status;
  };
  CHECK(code(R"({"all":3,"any":1,"one":2,"no":"good"})") == 201);
  CHECK(code(R"({"any":"abc"})") == 201);
  for (const char* bad : {R"({"all":1})", R"({"all":5})", R"({"any":"b"})", R"({"any":true})", R"({"one":1})",
                          R"({"one":4})", R"({"no":"bad"})"}) {
    CHECK_MESSAGE(code(bad) == 422, bad);
  }
  const auto none = rig.ask("POST", kGizmos, gizmo("g", R"({"one":1})"));
  CHECK(none.body["message"].str().ends_with(
      "\"spec.one\" must validate one and only one schema (oneOf). Found none valid"));
}

TEST_CASE("lists of type set and map hold no item twice") {
  ServerRig rig;
  define(rig,
         R"("properties":{"tags":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
    "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
      "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}})");
  const auto twice = rig.ask("POST", kGizmos, gizmo("g", R"({"tags":["a","a"]})"));
  CHECK(twice.body["message"].str().ends_with("spec.tags[1]: Duplicate value: \"a\""));
  const auto parts = rig.ask("POST", kGizmos, gizmo("g", R"({"parts":[{"name":"a"},{"name":"a"}]})"));
  CHECK(parts.body["message"].str().ends_with("spec.parts[1]: Duplicate value: {\"name\":\"a\"}"));
}

TEST_CASE("rules in CEL are kept, with a warning that nobody evaluates them") {
  ServerRig rig;
  const auto made =
      rig.ask("POST", kDefinitions,
              definition(R"("x-kubernetes-validations":[{"rule":"self.size != 3"}],)" + kPlain));
  REQUIRE(made.status == 201);
  CHECK(made.headers.get("Warning") ==
        "299 - \"version v1: x-kubernetes-validations are kept but not evaluated by this server\"");
  CHECK(rig.ask("POST", kGizmos, gizmo("g", R"({"size":3})")).status == 201);
}

TEST_CASE("what a rule says never changes is not changed") {
  ServerRig rig;
  define(rig, R"("x-kubernetes-validations":[{"rule":"self == oldSelf","message":"a gizmo is immutable"}],)" +
                  kPlain);
  CHECK(rig.ask("POST", kGizmos, gizmo("g", R"({"size":3})")).status == 201);
  const std::string merge = "application/merge-patch+json";
  const auto changed = rig.ask("PATCH", kGizmos + "/g", R"({"spec":{"size":4}})", merge);
  CHECK(changed.status == 422);
  CHECK(changed.body["message"].str() ==
        "Gizmo.e.example.com \"g\" is invalid: spec: Invalid value: \"object\": a gizmo is immutable");
  CHECK(rig.ask("PATCH", kGizmos + "/g/status", R"({"status":{"ready":1}})", merge).status == 200);
  CHECK(rig.ask("PATCH", kGizmos + "/g", R"({"metadata":{"labels":{"a":"b"}}})", merge).status == 200);
}

TEST_CASE("a custom kind's status and spec are written apart") {
  ServerRig rig;
  define(rig);
  const auto made =
      rig.ask("POST", kGizmos, R"({"metadata":{"name":"g"},"spec":{"size":1},"status":{"a":"b"}})");
  CHECK_FALSE(made.body.contains("status"));
  const std::string merge = "application/merge-patch+json";
  const auto status =
      rig.ask("PATCH", kGizmos + "/g/status", R"({"spec":{"size":2},"status":{"ready":1}})", merge);
  CHECK(status.body["spec"]["size"].as_int() == 1);
  CHECK(status.body["status"]["ready"].as_int() == 1);
  CHECK(status.body["metadata"]["generation"].as_int() == 1);
  const auto spec = rig.ask("PATCH", kGizmos + "/g", R"({"spec":{"size":2},"status":{"ready":9}})", merge);
  CHECK(spec.body["status"]["ready"].as_int() == 1);
  CHECK(spec.body["metadata"]["generation"].as_int() == 2);
}

TEST_CASE("a custom kind scales by the paths of its definition") {
  ServerRig rig;
  define(rig);
  rig.ask("POST", kGizmos, gizmo("g", R"({"size":1,"count":2})"));
  CHECK(rig.ask("GET", kGizmos + "/g/scale").body["spec"]["replicas"].as_int() == 2);
  const auto scaled =
      rig.ask("PATCH", kGizmos + "/g/scale", R"({"spec":{"replicas":4}})", "application/merge-patch+json");
  CHECK(scaled.body["spec"]["replicas"].as_int() == 4);
  CHECK(rig.ask("GET", kGizmos + "/g").body["spec"]["count"].as_int() == 4);
}

TEST_CASE("printer columns find their cells by path") {
  ServerRig rig;
  define(rig);
  rig.ask("POST", kGizmos, gizmo("g", R"({"size":4})"));
  rig.ask("PATCH", kGizmos + "/g/status", R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})",
          "application/merge-patch+json");
  net::Request request;
  request.target = kGizmos;
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  const auto table = rig.ask(request, "");
  CHECK(table.body["columnDefinitions"].at(1)["name"].str() == "Size");
  CHECK(json::encode(table.body["rows"].at(0)["cells"]) == R"(["g",4,"True"])");
}

TEST_CASE("a deleted definition takes its objects along and waits for their finalizers") {
  ServerRig rig;
  define(rig);
  rig.ask("POST", kGizmos, gizmo("plain", R"({"size":1})"));
  rig.ask("POST", kGizmos,
          R"({"metadata":{"name":"held","finalizers":["e.example.com/f"]},"spec":{"size":1}})");
  const auto going = rig.ask("DELETE", kDefinition);
  CHECK(condition(going.body, "Terminating") == "True");
  rig.loop.advance(std::chrono::seconds(2));
  CHECK(rig.ask("GET", kGizmos + "/plain").status == 404);
  CHECK_FALSE(rig.ask("GET", kGizmos + "/held").body["metadata"]["deletionTimestamp"].is_null());
  const auto late = rig.ask("POST", kGizmos, gizmo("late", R"({"size":1})"));
  CHECK(late.status == 405);
  CHECK(late.body["message"].str() == "create not allowed while custom resource definition is terminating");
  rig.ask("PATCH", kGizmos + "/held", R"({"metadata":{"finalizers":null}})", "application/merge-patch+json");
  rig.loop.advance(std::chrono::seconds(2));
  CHECK(rig.ask("GET", kDefinition).status == 404);
  CHECK(rig.ask("GET", kGizmos).status == 404);
}

TEST_CASE("an object is read and written under each version of its kind") {
  ServerRig rig;
  std::string two = definition(kPlain);
  const std::string first = R"("versions":[{"name":"v1","served":true,"storage":true,)";
  const std::string old =
      R"("versions":[{"name":"v1alpha1","served":true,"storage":false,"schema":{"openAPIV3Schema":
    {"type":"object","x-kubernetes-preserve-unknown-fields":true}}},{"name":"v1","served":true,"storage":true,)";
  two.replace(two.find(first), first.size(), old);
  REQUIRE(rig.ask("POST", kDefinitions, two).status == 201);
  const std::string alpha = "/apis/e.example.com/v1alpha1/namespaces/default/gizmos";
  REQUIRE(
      rig.ask(
             "POST", alpha,
             R"({"apiVersion":"e.example.com/v1alpha1","kind":"Gizmo","metadata":{"name":"g"},"spec":{"size":1}})")
          .status == 201);
  auto read = rig.ask("GET", kGizmos + "/g").body;
  CHECK(read["apiVersion"].str() == "e.example.com/v1");
  CHECK(rig.ask("GET", kGizmos).body["items"].at(0)["apiVersion"].str() == "e.example.com/v1");
  CHECK(rig.ask("GET", alpha).body["items"].at(0)["apiVersion"].str() == "e.example.com/v1alpha1");
  const auto watched = rig.ask("GET", kGizmos + "?watch=true&timeoutSeconds=1");
  CHECK(watched.text.find(R"("apiVersion":"e.example.com/v1",)") != std::string::npos);
  read.edit("spec").set("size", 2);
  CHECK(rig.ask("PUT", kGizmos + "/g", json::encode(read)).status == 200);
}

TEST_CASE("a new definition of the same name starts empty") {
  ServerRig rig;
  define(rig);
  rig.ask("POST", kGizmos, gizmo("old", R"({"size":1})"));
  rig.ask("DELETE", kDefinition);
  rig.loop.advance(std::chrono::seconds(2));
  define(rig);
  CHECK(rig.ask("GET", kGizmos).body["items"].size() == 0);
}

}  // namespace
}  // namespace skiff::kube
