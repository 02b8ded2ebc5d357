#include "node/network/forwarding_switch.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {

// A machine in a folder.
struct Machine {
  Machine() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    files = {folder + "/ip_forward", folder + "/run/interfaces", folder + "/net"};
    add("lo");
    add("eth0");
    set("0");
  }
  ~Machine() { CHECK(io::remove_tree(folder).has_value()); }
  void add(const std::string& name) { REQUIRE(io::make_directories(files.interfaces + "/" + name)); }
  void add_bridge(const std::string& name) { add(name + "/bridge"); }
  void take(const std::string& name) { REQUIRE(io::remove_tree(files.interfaces + "/" + name)); }
  void set(const char* value) { REQUIRE(io::write_file_atomic(files.setting, value)); }
  std::string forwards() const { return std::string(trim(io::read_file(files.setting).value_or("?"))); }
  Forwarding turn_on() const {
    auto turned = turn_on_forwarding(files);
    REQUIRE(turned.has_value());
    return *turned;
  }
  std::string folder = "/tmp/forwarding-XXXXXX";
  ForwardingFiles files;
};

}  // namespace

TEST_CASE("a machine that did not forward does while an instance is there, and not after the last") {
  Machine machine;
  machine.add_bridge("skiff-a");
  const auto first = machine.turn_on();
  CHECK(first.ours);
  CHECK(first.before == std::vector<std::string>{"eth0"});
  CHECK(machine.forwards() == "1");
  machine.add_bridge("skiff-b");
  CHECK(machine.turn_on().before == first.before);
  machine.take("skiff-a");
  CHECK(turn_off_forwarding(machine.files).has_value());
  CHECK(machine.forwards() == "1");
  machine.take("skiff-b");
  CHECK(turn_off_forwarding(machine.files).has_value());
  CHECK(machine.forwards() == "0");
  CHECK(!io::path_exists(machine.files.record));
}

TEST_CASE("a machine that forwarded before is left alone") {
  Machine machine;
  machine.set("1");
  machine.add_bridge("skiff-a");
  CHECK(!machine.turn_on().ours);
  machine.take("skiff-a");
  CHECK(turn_off_forwarding(machine.files).has_value());
  CHECK(machine.forwards() == "1");
}

TEST_CASE("an agent that comes again finds what the first wrote down") {
  Machine machine;
  const auto first = machine.turn_on();
  machine.add("tun0");
  const auto second = machine.turn_on();
  CHECK(second.ours);
  CHECK(second.before == first.before);
}

TEST_CASE("guests on a bridge that came later keep the forwarding, those that were there before do not") {
  Machine machine;
  machine.add_bridge("br0");
  static_cast<void>(machine.turn_on());
  machine.add_bridge("docker0");
  CHECK(turn_off_forwarding(machine.files).has_value());
  CHECK(machine.forwards() == "1");
  machine.set("0");
  machine.take("docker0");
  static_cast<void>(machine.turn_on());
  CHECK(turn_off_forwarding(machine.files).has_value());
  CHECK(machine.forwards() == "0");
}
