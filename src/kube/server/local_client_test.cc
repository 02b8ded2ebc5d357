#include <doctest/doctest.h>

#include "kube/client/informer.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

TEST_CASE("an informer of the same process sees what HTTP callers write") {
  ServerRig rig;
  const auto client = rig.api.local_client(master_user("controller"));
  Informer maps(rig.loop, *client, "/api/v1/configmaps");
  maps.start();
  REQUIRE(rig.loop.run_until([&] { return maps.has_synced(); }, std::chrono::seconds(5)));
  rig.ask("POST", "/api/v1/namespaces/default/configmaps", R"({"metadata":{"name":"cm"}})");
  CHECK(rig.loop.run_until([&] { return maps.size() == 1; }, std::chrono::seconds(5)));
  rig.ask("DELETE", "/api/v1/namespaces/default/configmaps/cm");
  CHECK(rig.loop.run_until([&] { return maps.size() == 0; }, std::chrono::seconds(5)));
}

TEST_CASE("a table has a row for each object and columns for its kind") {
  ServerRig rig;
  net::Request request;
  request.target = "/api/v1/namespaces?limit=500";
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  const auto answer = rig.ask(request, "");
  CHECK(answer.body["kind"].str() == "Table");
  CHECK(answer.body["rows"].size() == 4);
}

}  // namespace
}  // namespace skiff::kube
