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

TEST_CASE("a time is kept in UTC, of whatever year") {
  Registry registry;
  const auto kept = [&](std::string_view plural, const std::string& body, std::string_view field) {
    const auto decoded = decode(registry, *registry.find("", "v1", plural), MediaType::kJson, body);
    return decoded ? decoded->object[field].str() : decoded.error().message;
  };
  const auto second = [&](const std::string& time) {
    return kept("events", R"({"firstTimestamp":")" + time + "\"}", "firstTimestamp");
  };
  const auto micro = [&](const std::string& time) {
    return kept("events", R"({"eventTime":")" + time + "\"}", "eventTime");
  };
  CHECK(second("9999-12-31T23:59:59Z") == "9999-12-31T23:59:59Z");
  CHECK(second("2026-01-02T05:04:05+02:00") == "2026-01-02T03:04:05Z");
  CHECK(second("1900-01-01T00:00:00+01:30") == "1899-12-31T22:30:00Z");
  CHECK(second("1899-12-31T23:59:59-00:01") == "1900-01-01T00:00:59Z");
  CHECK(second("2200-12-31T23:30:00-01:00") == "2201-01-01T00:30:00Z");
  CHECK(second("1896-02-29T00:30:00.5+01:00") == "1896-02-28T23:30:00Z");
  CHECK(micro("0026-01-01T00:04:05.123456789+01:30") == "0025-12-31T22:34:05.123456Z");
  CHECK(micro("2200-12-31T23:59:60Z") == "2201-01-01T00:00:00.000000Z");
  // No year has five digits, and none is before 0: it stays as it was written.
  CHECK(second("9999-12-31T23:30:00-01:00") == "9999-12-31T23:30:00-01:00");
  CHECK(second("0000-01-01T00:00:00+00:01") == "0000-01-01T00:00:00+00:01");
  for (const char* bad : {"1897-02-29T00:00:00Z", "-001-01-01T00:00:00Z", "+001-01-01T00:00:00Z",
                          "19-01-01T00:00:00Z", "", "1999", "1900-01-01T00:00:61Z"}) {
    CAPTURE(bad);
    CHECK(second(bad).find("cannot parse") != std::string::npos);
  }
}

}  // namespace skiff::kube
