#include "node/services/service_proxy.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "node/api/fake_api.h"

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr const char* kServices = "/api/v1/services";
constexpr const char* kSlices = "/apis/discovery.k8s.io/v1/endpointslices";

json::Value parse(const char* text) {
  return *json::parse(text);
}

const char* const kService = R"({"metadata":{"name":"web","namespace":"shop"},"spec":{"clusterIP":"10.43.0.9",
  "ports":[{"name":"http","port":80,"protocol":"TCP"}]}})";
const char* const kSlice =
    R"({"metadata":{"name":"web-1","namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
  "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],
  "endpoints":[{"addresses":["10.42.0.5"],"conditions":{"ready":true}}]})";

// Tells of objects when the test says so.
class SlowApi final : public FakeApi {
 public:
  explicit SlowApi(io::Loop& loop) : FakeApi(loop), never_(loop) {}
  io::Task<void> follow(std::string path, std::string, ChangeCallback callback) override {
    followers_[path] = std::move(callback);
    co_await never_.wait();
  }
  void tell(const char* path, const char* object) {
    followers_.at(path)({ObjectChange::Kind::kReset, {}});
    followers_.at(path)({ObjectChange::Kind::kUpsert, parse(object)});
    followers_.at(path)({ObjectChange::Kind::kSynced, {}});
  }

 private:
  io::Event never_;
  std::map<std::string, ChangeCallback> followers_;
};

// A kernel with one table, or none.
struct FakeFirewall final : Firewall {
  Result<void> apply(const std::string& commands) override {
    const bool looks = commands.starts_with("list ");
    if (looks && (fails > 0 || table.empty())) return --fails, fail(Code::kInternal, "nft: no such table");
    if (looks) return {};
    if (commands.starts_with("create ") && !table.empty()) return fail(Code::kInternal, "nft: it exists");
    table = commands;
    return {};
  }
  std::string table;
  int fails = 0;  // of the next looks
};

struct World {
  io::SimLoop loop{1};
  SlowApi api{loop};
  std::shared_ptr<FakeFirewall> firewall = std::make_shared<FakeFirewall>();
  ServiceProxy proxy{
      loop, api, {"t1", {*parse_subnet("10.42.0.0/16"), *parse_subnet("10.43.0.0/16")}, {}}, firewall};
  void start() {
    REQUIRE(io::block_on(loop, proxy.start()).has_value());
    loop.advance(std::chrono::seconds(5));
  }
};

}  // namespace

TEST_CASE("the rules of the agent before stay until services and slices are known") {
  World world;
  world.firewall->table = "of before";
  world.start();
  CHECK(world.firewall->table == "of before");
  world.api.tell(kServices, kService);
  world.loop.advance(std::chrono::seconds(5));
  CHECK(world.firewall->table == "of before");
  CHECK(!world.proxy.all_known());
  world.api.tell(kSlices, kSlice);
  world.loop.advance(std::chrono::seconds(5));
  CHECK(world.firewall->table.find("10.43.0.9 . tcp . 80 : goto") != std::string::npos);
}

TEST_CASE("they stay as well when they can't be looked at") {
  World world;
  world.firewall->table = "of before";
  world.firewall->fails = 2;
  world.start();
  CHECK(world.firewall->table == "of before");
}

TEST_CASE("slices that come before services make no rules") {
  World world;
  world.firewall->table = "of before";
  world.start();
  world.api.tell(kSlices, kSlice);
  world.loop.advance(std::chrono::seconds(5));
  CHECK(world.firewall->table == "of before");
}

TEST_CASE("where there are no rules they are made before any service is known") {
  World world;
  world.start();
  CHECK(world.firewall->table.find("chain forwarded") != std::string::npos);
  CHECK(world.firewall->table.find("goto") == std::string::npos);
}
