#include "platform/resources/definitions.h"

#include <doctest/doctest.h>

#include "base/yaml.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("the definitions are part of the binary") {
  const auto all = yaml::parse_all(definitions_text());
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 3);
  for (const auto& definition : *all) {
    const auto& spec = definition["spec"];
    CHECK(definition["metadata"]["name"].str() == spec["names"]["plural"].str() + "." + spec["group"].str());
    CHECK(spec["versions"].at(0)["subresources"].contains("status"));
    CHECK(spec["group"].str() + "/" + spec["versions"].at(0)["name"].str() == kResourceVersion);
  }
}

TEST_CASE("resources have paths in the API") {
  CHECK(resources_path("apps") == "/apis/skiff.dev/v1alpha1/apps");
  CHECK(resource_path("releases", "shop", "v3") == "/apis/skiff.dev/v1alpha1/namespaces/shop/releases/v3");
}
