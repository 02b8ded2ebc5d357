#include <doctest/doctest.h>

#include "kube/discovery/discovery.h"

using namespace skiff;
using namespace skiff::kube;

TEST_CASE("every group version of the index has a document") {
  Registry registry;
  auto index = openapi_v3_index(registry);
  CHECK(index["paths"]["api/v1"]["serverRelativeURL"].str().starts_with("/openapi/v3/api/v1?hash="));
  for (const auto& [path, entry] : index["paths"].members()) CHECK(openapi_v3(registry, path).has_value());
  CHECK(!openapi_v3(registry, "apis/nope/v1").has_value());
}

TEST_CASE("documents say that patches validate fields, and carry the patch keys") {
  Registry registry;
  auto apps = *openapi_v3(registry, "apis/apps/v1");
  const auto& patch = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
  CHECK(patch["x-kubernetes-group-version-kind"]["kind"].str() == "Deployment");
  CHECK(patch["parameters"].at(2)["name"].str() == "fieldValidation");
  const auto& schemas = apps["components"]["schemas"];
  const auto& containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
  CHECK(containers["x-kubernetes-patch-merge-key"].str() == "name");
  CHECK(containers["items"]["$ref"].str() == "#/components/schemas/io.k8s.api.core.v1.Container");
  CHECK(schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"].at(0)["group"].str() ==
        "apps");
}

TEST_CASE("references never dangle") {
  Registry registry;
  auto core = *openapi_v3(registry, "api/v1");
  const auto& schemas = core["components"]["schemas"];
  for (const auto& [name, schema] : schemas.members()) {
    for (const auto& [field, body] : schema["properties"].members()) {
      const std::string& target = (body["items"].contains("$ref") ? body["items"] : body)["$ref"].str();
      if (target.empty()) continue;
      CAPTURE(name);
      CAPTURE(field);
      CHECK(schemas.contains(target.substr(std::string("#/components/schemas/").size())));
    }
  }
}

TEST_CASE("the second version's document is empty but well-formed, in JSON and in protobuf") {
  CHECK(openapi_v2()["swagger"].str() == "2.0");
  CHECK(openapi_v2_protobuf() ==
        "\x0a\x03"
        "2.0\x12\x16\x0a\x0aKubernetes\x12\x08v1.32.13");
}
