#include "edge/external_names.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"

namespace skiff::edge {
namespace {

using namespace std::chrono_literals;

struct Names {
  io::SimLoop loop;
  NameAddresses world;
  int lookups = 0, changes = 0;
  ExternalNames names{loop,
                      [this](const std::string& name) {
                        ++lookups;
                        return world[name];
                      },
                      [this] { ++changes; }};
  std::vector<std::string> of(const std::string& name) {
    const auto found = names.addresses().find(name);
    return found == names.addresses().end() ? std::vector<std::string>{"unknown"} : found->second;
  }
};

}  // namespace

TEST_CASE("a name's addresses are followed") {
  Names n;
  n.world["a.test"] = {"192.0.2.2", "192.0.2.1"};
  n.names.want({"a.test"});
  n.loop.run_until_idle();
  CHECK(n.of("a.test") == std::vector<std::string>{"192.0.2.1", "192.0.2.2"});
  CHECK(n.changes == 1);
  n.world["a.test"] = {"192.0.2.3"};
  n.loop.advance(31s);
  CHECK(n.of("a.test") == std::vector<std::string>{"192.0.2.3"});
  CHECK(n.changes == 2);
  n.loop.advance(31s);
  CHECK(n.changes == 2);
}

TEST_CASE("a name that fails keeps its addresses, and one without any is known to have none") {
  Names n;
  n.world["a.test"] = {"192.0.2.1"};
  n.names.want({"a.test", "none.test"});
  n.loop.run_until_idle();
  n.world["a.test"] = {};
  n.loop.advance(60s);
  CHECK(n.of("a.test") == std::vector<std::string>{"192.0.2.1"});
  CHECK(n.of("none.test").empty());
}

TEST_CASE("a name that nobody wants is forgotten and not asked for") {
  Names n;
  n.world["a.test"] = {"192.0.2.1"};
  n.names.want({"a.test"});
  n.loop.run_until_idle();
  n.names.want({});
  CHECK(n.of("a.test") == std::vector<std::string>{"unknown"});
  n.loop.advance(60s);
  const int before = n.lookups;
  n.loop.advance(600s);
  CHECK(n.lookups == before);
  n.names.want({"a.test"});
  n.loop.run_until_idle();
  CHECK(n.of("a.test") == std::vector<std::string>{"192.0.2.1"});
}

TEST_CASE("a name of the machine's hosts file has the addresses that stand there") {
  const char* hosts =
      "127.0.0.1\tlocalhost\n# 192.0.2.9 store.test\n192.0.2.7  shop.test Store.test # of old\n\n"
      "fd00::7 shop.test\nnonsense shop.test\n192.0.2.8\n";
  using Found = std::vector<std::string>;
  CHECK(find_in_hosts(hosts, "localhost") == Found{"127.0.0.1"});
  CHECK(find_in_hosts(hosts, "SHOP.test.") == Found{"192.0.2.7", "fd00::7"});
  CHECK(find_in_hosts(hosts, "store.test") == Found{"192.0.2.7"});
  for (const char* name : {"test", "of", "192.0.2.8", "", "."}) {
    CAPTURE(name);
    CHECK(find_in_hosts(hosts, name).empty());
  }
}

TEST_CASE("of too many names the first are followed") {
  Names n;
  std::set<std::string> many;
  for (size_t i = 0; i <= kMaxExternalNames; ++i) {
    const std::string name = std::to_string(10000 + i) + ".test";
    n.world[name] = {"192.0.2.1"};
    many.insert(name);
  }
  n.names.want(many);
  n.loop.run_until_idle();
  CHECK(n.names.addresses().size() == kMaxExternalNames);
  CHECK(n.of(*many.begin()) == std::vector<std::string>{"192.0.2.1"});
  CHECK(n.of(*many.rbegin()) == std::vector<std::string>{"unknown"});
  CHECK(n.lookups == kMaxExternalNames);
}

}  // namespace skiff::edge
