#include "node/network/bridge_filter.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

namespace {

// A kernel that fails the next commands, or that can't filter in bridges at all.
struct FakeFirewall final : Firewall {
  Result<void> apply(const std::string& commands) override {
    if (commands.starts_with("list ")) return table.empty() ? failure() : Result<void>();
    if (!able || failures > 0) return --failures, failure();
    if (commands.starts_with("add element") && table.empty()) return failure();
    table += commands;
    return {};
  }
  static Result<void> failure() { return fail(Code::kInternal, "nft: Device or resource busy"); }
  bool lets_in(const char* veth) const { return table.find(veth) != std::string::npos; }
  std::string table;
  bool able = true;
  int failures = 0;
};

struct World {
  std::shared_ptr<FakeFirewall> firewall = std::make_shared<FakeFirewall>();
  BridgeFilter filter{"t1", firewall};
};

}  // namespace

TEST_CASE("a port that a working filter does not take is an error, and is taken when tried again") {
  World world;
  world.filter.open({});
  world.firewall->failures = 2;  // the port's, and the whole filter's
  CHECK(!world.filter.allow({"skt1a", 1}));
  CHECK(!world.firewall->lets_in("skt1a"));
  CHECK(world.filter.allow({"skt1a", 1}).has_value());
  CHECK(world.firewall->lets_in("skt1a"));
}

TEST_CASE("a failure at the start does not leave the pods unfiltered for ever") {
  World world;
  world.firewall->failures = 1;
  world.filter.open({{"skt1a", 1}});
  CHECK(!world.firewall->lets_in("skt1a"));
  CHECK(world.filter.allow({"skt1b", 2}).has_value());
  CHECK(world.firewall->lets_in("skt1a"));
  CHECK(world.firewall->lets_in("skt1b"));
}

TEST_CASE("the filter of an agent before that can't be changed lets no new port come up") {
  World world;
  world.firewall->table = "of before";
  world.firewall->able = false;
  world.filter.open({});
  CHECK(!world.filter.allow({"skt1a", 1}));
}

TEST_CASE("a filter that was flushed away is made again with all ports") {
  World world;
  world.filter.open({{"skt1a", 1}});
  world.firewall->table.clear();
  CHECK(world.filter.allow({"skt1b", 2}).has_value());
  CHECK(world.firewall->lets_in("skt1a"));
  CHECK(world.firewall->lets_in("skt1b"));
}

TEST_CASE("where the kernel can't filter in bridges pods are served all the same") {
  World world;
  world.firewall->able = false;
  world.filter.open({});
  CHECK(world.filter.allow({"skt1a", 1}).has_value());
  world.filter.forget({"skt1a", 1});
  CHECK(world.firewall->table.empty());
}
