#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "kube/discovery/discovery.h"

using namespace skiff;
using namespace skiff::kube;

namespace {

json::Value golden() {
  std::ifstream file(std::string(SKIFF_SOURCE_DIR) + "/src/kube/discovery/testdata/discovery.json");
  std::stringstream text;
  text << file.rdbuf();
  auto value = json::parse(text.str());
  REQUIRE(value.has_value());
  return *value;
}

const json::Value& named(const json::Value& list, std::string_view key, std::string_view name) {
  static const json::Value missing;
  for (const auto& item : list.items()) {
    if (item[key].str() == name) return item;
  }
  return missing;
}

// Everything we serve must be what upstream serves; what we do not serve may be missing.
void check_resources(const json::Value& ours, const json::Value& theirs, std::string_view key) {
  for (const auto& one : ours.items()) {
    const std::string& name = one[key].str();
    CAPTURE(name);
    CHECK(one == named(theirs, key, name));
  }
}

}  // namespace

TEST_CASE("resource lists are those of a real API server") {
  Registry registry;
  auto recorded = golden();
  for (const auto& [path, body] : recorded["resources"].members()) {
    CAPTURE(path);
    const std::string& group_version = body["groupVersion"].str();
    auto slash = group_version.find('/');
    auto group = slash == std::string::npos ? "" : group_version.substr(0, slash);
    auto version = slash == std::string::npos ? group_version : group_version.substr(slash + 1);
    auto ours = api_resource_list(registry, group, version);
    REQUIRE(ours);
    CHECK((*ours)["groupVersion"] == body["groupVersion"]);
    check_resources((*ours)["resources"], body["resources"], "name");
  }
  CHECK(!api_resource_list(registry, "nope", "v1"));
}

TEST_CASE("aggregated discovery is that of a real API server") {
  Registry registry;
  auto recorded = golden();
  auto core = aggregated_discovery(registry, true, "v2");
  CHECK(core["apiVersion"].str() == "apidiscovery.k8s.io/v2");
  check_resources(core["items"].at(0)["versions"].at(0)["resources"],
                  recorded["core"]["versions"].at(0)["resources"], "resource");
  auto groups = aggregated_discovery(registry, false, "v2beta1");
  std::vector<std::string> order, expected;
  for (const auto& item : groups["items"].items()) order.push_back(item["metadata"]["name"].str());
  for (const auto& item : recorded["groups"].items()) {
    const std::string& name = item["metadata"]["name"].str();
    CAPTURE(name);
    const auto& ours = [&]() -> const json::Value& {
      static const json::Value missing;
      for (const auto& one : groups["items"].items()) {
        if (one["metadata"]["name"].str() == name) return one;
      }
      return missing;
    }();
    if (ours.is_null()) continue;
    expected.push_back(name);
    check_resources(ours["versions"].at(0)["resources"], item["versions"].at(0)["resources"], "resource");
  }
  CHECK(order == expected);
}

TEST_CASE("groups name their preferred version") {
  Registry registry;
  auto apps = api_group(registry, "apps");
  REQUIRE(apps);
  CHECK(json::encode((*apps)["preferredVersion"]) == R"({"groupVersion":"apps/v1","version":"v1"})");
  CHECK((*apps)["kind"].str() == "APIGroup");
  CHECK(!api_group(registry, "nope"));
  CHECK(api_group_list(registry)["groups"].at(0)["name"].str() == "apps");
  CHECK(version_info()["gitVersion"].str().starts_with("v1.32."));
}

TEST_CASE("custom kinds are discovered with their own group, version and subresources") {
  Registry registry;
  auto kind = std::make_shared<Kind>();
  kind->group = "example.com";
  kind->version = "v1beta1";
  kind->kind = "Gadget";
  kind->plural = "gadgets";
  kind->singular = "gadget";
  kind->custom = kind->has_status = true;
  registry.add_custom(kind);
  auto newer = std::make_shared<Kind>(*kind);
  newer->version = "v1";
  registry.add_custom(newer);
  auto group = *api_group(registry, "example.com");
  CHECK(group["preferredVersion"]["version"].str() == "v1");
  auto list = *api_resource_list(registry, "example.com", "v1beta1");
  CHECK(list["resources"].at(1)["name"].str() == "gadgets/status");
  auto all = aggregated_discovery(registry, false, "v2");
  const auto& last = all["items"].at(all["items"].size() - 1);
  CHECK(last["versions"].at(0)["resources"].at(0)["responseKind"]["group"].str() == "example.com");
}
