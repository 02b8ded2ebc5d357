#include <doctest/doctest.h>

#include "kube/schema/schema.h"

namespace skiff::kube {

TEST_CASE("built-in kinds are found by resource and by kind") {
  Registry registry;
  auto deployments = registry.find("apps", "v1", "deployments");
  REQUIRE(deployments);
  CHECK(deployments == registry.find_kind("apps", "v1", "Deployment"));
  CHECK(deployments->has_status);
  CHECK(deployments->has_scale);
  CHECK(deployments->short_names == std::vector<std::string>{"deploy"});
  CHECK(registry.find("apps", "v1", "pods") == nullptr);
  CHECK(registry.has_group_version("", "v1"));
  CHECK_FALSE(registry.has_group_version("autoscaling", "v1"));
}

TEST_CASE("review kinds are served but not listed, Scale has no resource") {
  Registry registry;
  auto review = registry.find("authorization.k8s.io", "v1", "subjectaccessreviews");
  REQUIRE(review);
  CHECK_FALSE(review->listed);
  CHECK(registry.find_kind("autoscaling", "v1", "Scale"));
  for (const auto& kind : registry.all()) CHECK(kind->kind != "Scale");
}

TEST_CASE("fields of inlined structs are found by their JSON name") {
  Registry registry;
  const auto* volume = registry.find_type("core/v1", "Volume");
  REQUIRE(volume);
  const auto* field = volume->find("emptyDir");
  REQUIRE(field);
  CHECK(field->type->name == "io.k8s.api.core.v1.EmptyDirVolumeSource");
  CHECK(volume->find("nope") == nullptr);
}

TEST_CASE("custom kinds come and go and never replace a built-in one") {
  Registry registry;
  auto custom = std::make_shared<Kind>();
  custom->group = "skiff.dev";
  custom->version = "v1";
  custom->kind = "App";
  custom->plural = "apps";
  custom->custom = true;
  registry.add_custom(custom);
  CHECK(registry.find("skiff.dev", "v1", "apps") == custom);
  registry.remove_custom("skiff.dev", "apps");
  CHECK(registry.find("skiff.dev", "v1", "apps") == nullptr);
}

TEST_CASE("a time that is beyond computing stays as it was written") {
  Registry registry;
  const auto kind = registry.find("", "v1", "events");
  const auto decoded =
      decode(registry, *kind, MediaType::kJson,
             R"({"firstTimestamp":"9999-12-31T23:59:59Z","lastTimestamp":"2026-01-02T05:04:05+02:00"})");
  REQUIRE(decoded.has_value());
  CHECK(decoded->object["firstTimestamp"].str() == "9999-12-31T23:59:59Z");
  CHECK(decoded->object["lastTimestamp"].str() == "2026-01-02T03:04:05Z");
}

}  // namespace skiff::kube
