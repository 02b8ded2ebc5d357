#include "node/images/stack_update.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "io/file.h"
#include "io/sync.h"
#include "node/images/layout.h"
#include "node/images/stack_layers.h"

using namespace skiff;
using namespace skiff::node;

namespace {

// Stands for unshare and what runs below it: the base of jq's version in DEBIAN_FILE, layers of one package.
constexpr const char* kMaker = R"sh(#!/bin/sh
registry() { # registry TAR FILE PACKAGE
  rm -rf root && mkdir -p "root/$(dirname "$2")"
  printf 'Package: %s\nStatus: install ok installed\nVersion: %s\n\n' "$3" "$(cat "$DEBIAN_FILE")" > "root/$2"
  tar -cf "$1" -C root .
}
while [ "$1" != sh ]; do shift; done
case $2 in
  -c)
    [ ! -e "$FAIL_FILE" ] || { echo "E: no mirror answers"; exit 100; }
    echo base >> "$COUNT_FILE" && cd "$5" && registry run.tar var/lib/dpkg/status bash ;;
  */build.sh) cd "$3" && registry build.tar var/lib/dpkg/status jq ;;
  */make.sh)
    echo layer >> "$COUNT_FILE" && cd "$3" && registry run.tar "usr/share/skiff/layers/$6/status-run" nodejs &&
      registry build.tar "usr/share/skiff/layers/$6/status-build" npm ;;
esac
)sh";

// Stands for apt-get: a registry with another version than Debian's has upgrades.
constexpr const char* kApt = R"sh(#!/bin/sh
for word; do case $word in Dir::State::status=*) status=${word#*=} ;; esac; done
case "$*" in *dist-upgrade) grep '^Version' "$status" | grep -qv "$(cat "$DEBIAN_FILE")" && echo "Inst jq" ;; esac
exit 0
)sh";

struct Machine {
  Machine() {
    char name[] = "/tmp/skiff-update-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
    REQUIRE(io::make_directories(path + "/recipes"));
    REQUIRE(io::write_file_atomic(path + "/recipes/node", "run: nodejs\nbuild: npm\n"));
    REQUIRE(io::write_file_atomic(path + "/maker", kMaker, 0755));
    REQUIRE(io::write_file_atomic(path + "/apt-get", kApt, 0755));
    ::setenv("DEBIAN_FILE", (path + "/debian").c_str(), 1);
    ::setenv("COUNT_FILE", (path + "/count").c_str(), 1);
    ::setenv("FAIL_FILE", (path + "/fail").c_str(), 1);
    publish("1.6");
  }
  ~Machine() { auto removed = io::remove_tree(path); }
  void publish(const std::string& version) const {
    REQUIRE(io::write_file_atomic(path + "/debian", version));
  }
  // "base" and "layer", in the order in which they were made.
  std::string made() const { return io::read_file(path + "/count").value_or(""); }
  std::string path;
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop(2);
};

struct Instance {
  Instance(Machine& m, const std::string& name) : machine(m), data(m.path + "/" + name) {
    REQUIRE(io::make_directories(data));
    const auto built = io::block_on(*machine.loop, build_stack(*machine.loop, stack("/stack-work")));
    REQUIRE_MESSAGE(built, built.error().message);
    StackLayers layers(*machine.loop,
                       {layout(), machine.path + "/recipes", machine.path + "/layers",
                        machine.path + "/stacks", NodePaths{data + "/node"}, machine.path + "/maker"});
    const auto ready = io::block_on(*machine.loop, layers.ensure("build-node", {}));
    REQUIRE_MESSAGE(ready, ready.error().message);
  }
  StackOptions stack(const std::string& work) const {
    StackOptions out{data + "/images", data + work, machine.path + "/stacks"};
    out.unshare = machine.path + "/maker";
    return out;
  }
  StackUpdateOptions options() {
    StackUpdateOptions out{stack("/stack-update"), machine.path + "/recipes", machine.path + "/layers",
                           machine.path + "/apt-get"};
    out.stack.progress = [this](const std::string& line) { told.push_back(line); };
    return out;
  }
  Result<std::vector<PackageChange>> update() {
    return io::block_on(*machine.loop, update_stack(*machine.loop, options()));
  }
  std::string layout() const { return data + "/images/stack"; }
  std::string index() const { return io::read_file(layout() + "/index.json").value_or(""); }
  Machine& machine;
  std::string data;
  std::vector<std::string> told;
};

std::string describe(const std::vector<PackageChange>& changes) {
  std::string out;
  for (const auto& change : changes) out += describe_change(change) + "\n";
  return out;
}

constexpr const char* kChanges = "jq 1.6 → 1.7\nnode: nodejs 1.6 → 1.7\nnode: npm 1.6 → 1.7\n";

}  // namespace

TEST_CASE("an update makes base and layers anew, says what changed, and leaves nothing beside them") {
  Machine machine;
  Instance shop(machine, "shop");
  machine.publish("1.7");
  const auto changes = shop.update();
  REQUIRE_MESSAGE(changes, changes.error().message);
  CHECK(describe(*changes) == kChanges);
  CHECK(machine.made() == "base\nlayer\nbase\nlayer\n");
  CHECK(stack_ready(shop.stack("/stack-work")));
  const auto build = read_layout(shop.layout(), "build"), node = read_layout(shop.layout(), "build-node");
  REQUIRE(node);
  CHECK(has_blobs(shop.layout(), *node));
  CHECK(node->layers.at(1).digest == build->layers.at(1).digest);
  CHECK(!io::path_exists(shop.data + "/stack-update"));
}

TEST_CASE("without newer packages nothing is made") {
  Machine machine;
  Instance shop(machine, "shop");
  const std::string before = shop.index();
  const auto changes = shop.update();
  REQUIRE(changes);
  CHECK(changes->empty());
  CHECK(shop.index() == before);
  CHECK(machine.made() == "base\nlayer\n");
}

TEST_CASE("another instance's update takes over what the first one made, layers too") {
  Machine machine;
  Instance shop(machine, "shop"), blog(machine, "blog");
  machine.publish("1.7");
  REQUIRE(shop.update());
  const std::string before = machine.made();
  const auto changes = blog.update();
  REQUIRE_MESSAGE(changes, changes.error().message);
  CHECK(describe(*changes) == kChanges);
  CHECK(machine.made() == before);
  CHECK(blog.told.back() == "Taking the stack that another instance's update made");
  CHECK(blog.index() == shop.index());
}

TEST_CASE("a machine's stack that is old itself is not taken") {
  Machine machine;
  Instance shop(machine, "shop"), blog(machine, "blog");
  machine.publish("1.7");
  REQUIRE(shop.update());
  machine.publish("1.8");
  const auto changes = blog.update();
  REQUIRE(changes);
  CHECK(describe(*changes).starts_with("jq 1.6 → 1.8\n"));
  CHECK(blog.index() != shop.index());
}

TEST_CASE("an update that fails says why and leaves the stack as it is") {
  Machine machine;
  Instance shop(machine, "shop");
  const std::string before = shop.index();
  machine.publish("1.7");
  REQUIRE(io::write_file_atomic(machine.path + "/fail", ""));
  const auto failed = shop.update();
  REQUIRE(!failed);
  CHECK(failed.error().message.find("E: no mirror answers") != std::string::npos);
  CHECK(shop.index() == before);
  CHECK(!io::path_exists(shop.data + "/stack-update"));
}

TEST_CASE("of two updates of one instance at once the second is refused") {
  Machine machine;
  Instance shop(machine, "shop");
  const auto first = io::lock_file(shop.data + "/stack-update.lock");
  REQUIRE(first);
  const auto second = shop.update();
  REQUIRE(!second);
  CHECK(second.error().message.starts_with("another `skiff stack:update` goes on"));
  // What goes on is not a leftover.
  REQUIRE(io::make_directories(shop.data + "/stack-update"));
  REQUIRE(remove_update_leftovers(shop.stack("/stack-update")));
  CHECK(io::path_exists(shop.data + "/stack-update"));
}
