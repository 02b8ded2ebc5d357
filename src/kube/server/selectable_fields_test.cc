// Fields of custom objects that lists, watches and deletecollection are chosen by.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const std::string kShirts = "/apis/e.example.com/v1/namespaces/default/shirts";

TestAnswer define(ServerRig& rig, const std::string& selectable, const std::string& query = "") {
  return rig.ask("POST", kDefinitions + query,
                 R"({"metadata":{"name":"shirts.e.example.com"},"spec":{
    "group":"e.example.com","scope":"Namespaced","names":{"plural":"shirts","kind":"Shirt"},
    "versions":[{"name":"v1","served":true,"storage":true,"selectableFields":)" +
                     selectable + R"(,
      "schema":{"openAPIV3Schema":{"type":"object","properties":{
        "metadata":{"type":"object","properties":{"name":{"type":"string"}}},
        "status":{"type":"object","properties":{"successful":{"type":"integer"}}},
        "spec":{"type":"object","properties":{"color":{"type":"string"},"size":{"type":"integer"},
          "sold":{"type":"boolean"},"cut":{"type":"string","default":"wide"},"parts":{"type":"object"},
          "a":{"type":"string"},"tags":{"type":"object","additionalProperties":{"type":"string"}}}}}}}}]}})");
}

void store_shirt(ServerRig& rig, const std::string& name, const std::string& rest) {
  REQUIRE(rig.ask("POST", kShirts, R"({"metadata":{"name":")" + name + "\"}," + rest + "}").status == 201);
}

std::string names_of(const json::Value& list) {
  std::string out;
  for (const auto& item : list["items"].items()) out += item["metadata"]["name"].str() + " ";
  return out;
}

std::string refusal(const std::string& selectable) {
  ServerRig rig;
  const auto answer = define(rig, selectable, "?dryRun=All");
  return answer.status == 422 ? answer.body["message"].str() : "accepted";
}

TEST_CASE("custom objects are chosen by the selectable fields of their definition") {
  ServerRig rig;
  REQUIRE(define(rig, R"([{"jsonPath":".spec.color"},{"jsonPath":".spec.size"},{"jsonPath":".spec.sold"},
    {"jsonPath":".spec.cut"},{"jsonPath":".spec.tags.x"},{"jsonPath":".status.successful"}])")
              .status == 201);
  store_shirt(rig, "blue", R"("spec":{"color":"blue","size":3,"sold":true},"status":{"successful":2})");
  store_shirt(rig, "green", R"("spec":{"color":"green","size":4,"tags":{"x":"y"},"cut":"slim"})");
  const auto chosen = [&](const std::string& selector) {
    return names_of(rig.ask("GET", kShirts + "?fieldSelector=" + selector).body);
  };
  CHECK(chosen("spec.color%3Dblue") == "blue ");
  CHECK(chosen("spec.color!%3Dblue") == "green ");
  CHECK(chosen("spec.size%3D4") == "green ");
  CHECK(chosen("spec.sold%3Dtrue") == "blue ");
  CHECK(chosen("spec.cut%3Dwide") == "blue ");
  CHECK(chosen("spec.tags.x%3Dy") == "green ");
  CHECK(chosen("status.successful%3D2") == "blue ");
  CHECK(chosen("spec.sold%3D") == "green ");
  CHECK(chosen("spec.color%3Dblue,spec.size%3D4").empty());
  CHECK(chosen("spec.color%3Dgreen,metadata.name%3Dgreen") == "green ");
  const auto unknown = rig.ask("GET", kShirts + "?fieldSelector=spec.a%3Dx");
  CHECK(unknown.status == 400);
  CHECK(unknown.body["message"].str() == "field label not supported: spec.a");
}

TEST_CASE("selectable fields choose what is watched and what is deleted") {
  ServerRig rig;
  REQUIRE(define(rig, R"([{"jsonPath":".spec.color"}])").status == 201);
  store_shirt(rig, "blue", R"("spec":{"color":"blue"})");
  store_shirt(rig, "green", R"("spec":{"color":"green"})");
  const std::string blue = "fieldSelector=spec.color%3Dblue";
  const auto revision = rig.ask("GET", kShirts).body["metadata"]["resourceVersion"].str();
  REQUIRE(rig.ask("PATCH", kShirts + "/blue", R"({"spec":{"color":"red"}})", "application/merge-patch+json")
              .status == 200);
  const auto watched =
      rig.ask("GET", kShirts + "?watch=true&timeoutSeconds=1&resourceVersion=" + revision + "&" + blue).text;
  CHECK(watched.find(R"("type":"DELETED")") != std::string::npos);
  CHECK(watched.find("green") == std::string::npos);
  CHECK(rig.ask("DELETE", kShirts + "?" + blue).status == 200);
  CHECK(names_of(rig.ask("GET", kShirts).body) == "blue green ");
  CHECK(rig.ask("DELETE", kShirts + "?fieldSelector=spec.color%3Dred").status == 200);
  CHECK(names_of(rig.ask("GET", kShirts).body) == "green ");
}

TEST_CASE("selectable fields point to plain fields of the schema") {
  const std::string at =
      "CustomResourceDefinition.apiextensions.k8s.io \"shirts.e.example.com\" is invalid: "
      "spec.selectableFields[0].jsonPath: ";
  const auto invalid = [&](const std::string& path, const std::string& why) {
    return at + "Invalid value: \"" + path + "\": " + why;
  };
  const std::string nowhere = "is an invalid path: does not refer to a valid field";
  CHECK(refusal(R"([{"jsonPath":""}])") == at + "Required value");
  CHECK(refusal(R"([{"jsonPath":".spec.colour"}])") == invalid(".spec.colour", nowhere));
  CHECK(refusal(R"([{"jsonPath":".spec.color.x"}])") == invalid(".spec.color.x", nowhere));
  CHECK(refusal(R"([{"jsonPath":"spec.color"}])") ==
        invalid("spec.color", "is an invalid path: expected [ or . but got: spec"));
  CHECK(refusal(R"([{"jsonPath":".spec."}])") ==
        invalid(".spec.", "is an invalid path: unexpected end of JSON path"));
  CHECK(refusal(R"([{"jsonPath":".spec[0]"}])") ==
        invalid(".spec[0]", "is an invalid path: array notation is not allowed"));
  CHECK(refusal(R"([{"jsonPath":".metadata.name"}])") ==
        invalid(".metadata.name", "must not point to fields in metadata"));
  CHECK(refusal(R"([{"jsonPath":".spec.parts"}])") ==
        invalid(".spec.parts",
                "must point to a field of type string, boolean or integer. Enum string fields and strings "
                "with formats are allowed."));
  CHECK(refusal(R"([{"jsonPath":".spec.color"},{"jsonPath":".spec.color"}])")
            .ends_with("spec.selectableFields[1].jsonPath: Duplicate value: \".spec.color\""));
  std::string many;
  for (const char name : std::string("abcdefghi"))
    many += std::string(many.empty() ? "" : ",") + R"({"jsonPath":".spec.tags.)" + name + "\"}";
  CHECK(refusal("[" + many + "]").ends_with("spec.selectableFields: Too many: 9: must have at most 8 items"));
}

}  // namespace
}  // namespace skiff::kube
