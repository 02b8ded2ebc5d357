#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

using namespace skiff;
using namespace skiff::kube;

namespace {

constexpr const char* kServices = "/api/v1/namespaces/default/services";

std::string address_of(ServerRig& rig, const std::string& name) {
  return rig.ask("GET", std::string(kServices) + "/" + name).body["spec"]["clusterIP"].str();
}

void create(ServerRig& rig, const std::string& name, const std::string& rest) {
  const std::string body =
      R"({"metadata":{"name":")" + name + R"("},"spec":{"ports":[{"port":80}])" + rest + "}}";
  REQUIRE(rig.ask("POST", kServices, body).status == 201);
}

// The next start of the server, with that range.
void start_again(ServerRig& rig, const std::string& range) {
  ServerOptions options = ServerRig::test_options();
  options.service_range = range;
  Registry registry;
  ApiServer api(rig.loop, *rig.store, registry, options);
  REQUIRE(io::block_on(rig.loop, api.bootstrap()));
}

}  // namespace

TEST_CASE("a changed service range moves every Service to the same place in the new one") {
  ServerRig rig;
  create(rig, "web", R"(,"clusterIP":"10.96.7.9")");
  create(rig, "none", R"(,"clusterIP":"None")");
  start_again(rig, "10.45.0.0/16");
  CHECK(address_of(rig, "web") == "10.45.7.9");
  CHECK(rig.ask("GET", std::string(kServices) + "/web").body["spec"]["clusterIPs"].at(0).str() ==
        "10.45.7.9");
  CHECK(address_of(rig, "kubernetes") == "10.45.0.1");
  CHECK(address_of(rig, "none") == "None");
}

TEST_CASE("a start with the same range writes nothing") {
  ServerRig rig;
  create(rig, "web", "");
  start_again(rig, ServerRig::test_options().service_range);
  const auto before = rig.store->current();
  const std::string address = address_of(rig, "web");
  start_again(rig, ServerRig::test_options().service_range);
  CHECK(address_of(rig, "web") == address);
  CHECK(before == rig.store->current());
}
