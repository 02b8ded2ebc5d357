#include "kube/client/informer.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "io/sync.h"

namespace skiff::kube {
namespace {

// Only follow() matters here: the test plays the server.
struct Followed final : Client {
  explicit Followed(io::Loop& l) : loop(l) {}
  io::Task<Result<json::Value>> get(std::string) override { co_return json::Value(); }
  io::Task<Result<json::Value>> list(std::string, std::string) override { co_return json::Value(); }
  io::Task<Result<json::Value>> create(std::string, json::Value object) override { co_return object; }
  io::Task<Result<json::Value>> update(std::string, json::Value object) override { co_return object; }
  io::Task<Result<json::Value>> patch(std::string, PatchType, json::Value) override {
    co_return json::Value();
  }
  io::Task<Result<void>> remove(std::string, json::Value) override { co_return Result<void>(); }
  io::Task<void> follow(std::string, std::string, ChangeCallback callback) override {
    tell = std::move(callback);
    io::Event never(loop);
    co_await never.wait();
  }
  io::Loop& loop;
  ChangeCallback tell;
};

json::Value pod(const char* name, int revision) {
  return json::Value::object(
      {{"metadata",
        json::Value::object(
            {{"namespace", "shop"}, {"name", name}, {"resourceVersion", std::to_string(revision)}})}});
}

TEST_CASE("an informer forgets what a new list does not name") {
  io::SimLoop loop;
  Followed client(loop);
  Informer informer(loop, client, "/api/v1/pods");
  int added = 0, removed = 0;
  informer.on_change([&](const json::Value& before, const json::Value& after) {
    added += before.is_null();
    removed += after.is_null();
  });
  informer.start();
  loop.run_until_idle();
  client.tell({ObjectChange::Kind::kReset, {}});
  client.tell({ObjectChange::Kind::kUpsert, pod("a", 1)});
  CHECK_FALSE(informer.has_synced());
  client.tell({ObjectChange::Kind::kUpsert, pod("b", 2)});
  client.tell({ObjectChange::Kind::kSynced, {}});
  CHECK(informer.has_synced());
  client.tell({ObjectChange::Kind::kReset, {}});
  client.tell({ObjectChange::Kind::kUpsert, pod("b", 2)});
  client.tell({ObjectChange::Kind::kSynced, {}});
  CHECK(added == 2);
  CHECK(removed == 1);
  CHECK(informer.find("shop", "a").is_null());
  CHECK(informer.list("shop").size() == 1);
}

TEST_CASE("an index follows its objects") {
  io::SimLoop loop;
  Followed client(loop);
  Informer informer(loop, client, "/api/v1/pods");
  informer.add_index("revision", [](const json::Value& object) {
    return std::vector<std::string>{object["metadata"]["resourceVersion"].str()};
  });
  informer.start();
  loop.run_until_idle();
  client.tell({ObjectChange::Kind::kUpsert, pod("a", 1)});
  client.tell({ObjectChange::Kind::kUpsert, pod("a", 2)});
  CHECK(informer.list_index("revision", "1").empty());
  CHECK(informer.list_index("revision", "2").size() == 1);
  client.tell({ObjectChange::Kind::kRemoved, pod("a", 3)});
  CHECK(informer.list_index("revision", "2").empty());
}

}  // namespace
}  // namespace skiff::kube
