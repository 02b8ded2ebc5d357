#include "node/services/object_index.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

namespace {

json::Value service(const std::string& ip) {
  return json::Value::object({{"spec", json::Value::object({{"clusterIP", ip}})}});
}

json::Value slice(const std::string& of, const std::string& ip) {
  auto out = *json::parse(R"({"metadata":{"namespace":"n"},"endpoints":[{}]})");
  out.edit("metadata").edit("labels").set("kubernetes.io/service-name", of);
  out.edit("endpoints").edit_at(0).set("addresses", json::Value::array({ip}));
  return out;
}

using Keys = ObjectIndex::Keys;

}  // namespace

TEST_CASE("the index follows what comes, changes and goes") {
  ObjectIndex index;
  index.change_service("n/a", {}, service("10.43.0.5"));
  index.change_slice("n/a-1", {}, slice("a", "10.42.0.5"));
  index.change_slice("n/b-1", {}, slice("b", "10.42.0.5"));
  CHECK(index.services_at("10.43.0.5") == Keys{"n/a"});
  CHECK(index.slices_at("10.42.0.5") == Keys{"n/a-1", "n/b-1"});
  CHECK(index.slices_of("n/a") == Keys{"n/a-1"});
  CHECK(index.slices_with_host("n/a", "10-42-0-5") == Keys{"n/a-1"});
  index.change_slice("n/a-1", slice("a", "10.42.0.5"), slice("a", "10.42.0.6"));
  CHECK(index.slices_at("10.42.0.5") == Keys{"n/b-1"});
  CHECK(index.slices_with_host("n/a", "10-42-0-5").empty());
  index.change_slice("n/b-1", slice("b", "10.42.0.5"), {});
  index.change_service("n/a", service("10.43.0.5"), service("None"));
  CHECK(index.slices_at("10.42.0.5").empty());
  CHECK(index.services_at("10.43.0.5").empty());
  CHECK(index.services_at("None").empty());
}

TEST_CASE("a list replaces what the index knew") {
  ObjectIndex index({{"n/a", service("10.43.0.5")}}, {{"n/a-1", slice("a", "10.42.0.5")}});
  index.reset_services({{"n/b", service("10.43.0.6")}});
  index.reset_slices({{"n/b-1", slice("b", "10.42.0.6")}});
  CHECK(index.services_at("10.43.0.5").empty());
  CHECK(index.services_at("10.43.0.6") == Keys{"n/b"});
  CHECK(index.slices_of("n/a").empty());
  CHECK(index.slices_at("10.42.0.6") == Keys{"n/b-1"});
}
