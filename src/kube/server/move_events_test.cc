#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kEvents = "/api/v1/namespaces/default/events";
const std::string kOld = "/events.k8s.io/events/default/";

// As an earlier version stored it.
void store_old(ServerRig& rig, const std::string& name) {
  store::Write write;
  write.key = kOld + name;
  write.expect = store::Expect::absent();
  write.encode = [name](store::Revision revision) {
    return R"({"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"name":")" + name +
           R"(","namespace":"default","resourceVersion":")" + std::to_string(store::number(revision)) +
           R"("},"eventTime":"2026-01-01T00:00:00.000000Z","note":"old","regarding":{"name":"web"}})";
  };
  REQUIRE(io::block_on(rig.loop, rig.store->write(std::move(write))));
}

void start_again(ServerRig& rig) {
  Registry registry;
  ApiServer api(rig.loop, *rig.store, registry, ServerRig::test_options());
  REQUIRE(io::block_on(rig.loop, api.bootstrap()));
}

}  // namespace

TEST_CASE("events that were stored under events.k8s.io are moved by the next start") {
  ServerRig rig;
  REQUIRE(rig.ask("POST", kEvents,
                  R"({"metadata":{"name":"taken"},"message":"new","involvedObject":{"namespace":"default"}})")
              .status == 201);
  store_old(rig, "alone");
  store_old(rig, "taken");
  CHECK(rig.ask("GET", kEvents).body["items"].size() == 1);
  start_again(rig);
  const auto listed = rig.ask("GET", kEvents).body["items"];
  REQUIRE(listed.size() == 2);
  CHECK(listed.at(0)["metadata"]["name"].str() == "alone");
  CHECK(listed.at(0)["apiVersion"].str() == "v1");
  CHECK(listed.at(0)["message"].str() == "old");
  CHECK(listed.at(0)["involvedObject"]["name"].str() == "web");
  CHECK(listed.at(1)["message"].str() == "new");
  CHECK(rig.ask("DELETE", kEvents + "/alone").status == 200);
  const auto left = rig.store->list({kOld, "", 0, {}});
  REQUIRE(left);
  CHECK(left->entries.empty());
  const auto before = rig.store->current();
  start_again(rig);
  CHECK(before == rig.store->current());
}

}  // namespace skiff::kube
