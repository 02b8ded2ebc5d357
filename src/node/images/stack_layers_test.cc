#include "node/images/stack_layers.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "node/images/layout.h"
#include "node/images/layout_write.h"
#include "node/images/shared_tree.h"
#include "testing/power_cut.h"

using namespace skiff;
using namespace skiff::node;

namespace {

// Stands for unshare and apt: says what it is told to, then makes the tars, or fails.
constexpr const char* kMaker = R"sh(#!/bin/sh
while [ "$1" != sh ]; do shift; done
cd "$3"
echo made >> "$COUNT_FILE"
echo "skiff: plan 57 38000000"
[ ! -e "$FAIL_FILE" ] || { echo "Reading package lists..."; echo "E: Unable to locate package nodejs"; exit 100; }
mkdir -p run/usr build/usr
echo "$6 $7 $8" > "run/usr/$6"
echo "$6" > "build/usr/$6-dev"
tar -cf run.tar -C run . && tar -cf build.tar -C build .
)sh";

struct Machine {
  Machine() {
    char name[] = "/tmp/skiff-layers-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
    for (const char* folder : {"/recipes", "/base/usr", "/images"})
      REQUIRE(io::make_directories(path + folder, 0755));
    REQUIRE(io::write_file_atomic(path + "/maker", kMaker, 0755));
    REQUIRE(io::write_file_atomic(path + "/recipes/node", "run: nodejs\nbuild: npm\n"));
    REQUIRE(io::write_file_atomic(path + "/recipes/ruby", "run: ruby\nbuild: ruby-dev\n"));
    ::setenv("COUNT_FILE", (path + "/count").c_str(), 1);
    ::setenv("FAIL_FILE", (path + "/fail").c_str(), 1);
    make_base();
  }
  ~Machine() { auto removed = io::remove_tree(path); }
  void make_base() {
    for (const char* name : {"run", "build"}) {
      REQUIRE(io::write_file_atomic(path + "/base/usr/file", name));
      const std::vector<std::string> pack = {"tar", "-cf",          path + "/" + name + ".tar",
                                             "-C",  path + "/base", "."};
      REQUIRE(io::block_on(*loop, io::run_command(*loop, pack))->status.ok());
    }
    auto run = write_layout(layout(), "run", {}, {{path + "/run.tar", ""}});
    REQUIRE(run);
    REQUIRE(write_layout(layout(), "build", {}, {{"", run->front()}, {path + "/build.tar", ""}}));
  }
  std::string layout() const { return path + "/images/stack"; }
  StackLayersOptions options(const std::string& node = "/node") const {
    return {layout(), path + "/recipes", path + "/machine", "", {path + node}, path + "/maker"};
  }
  Result<void> ensure(StackLayers& layers, const std::string& tag) {
    return io::block_on(*loop, layers.ensure(tag, [this](const std::string& line) { told.push_back(line); }));
  }
  size_t makings() const {
    const auto text = io::read_file(path + "/count").value_or("");
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::string path;
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop(2);
  std::vector<std::string> told;
};

}  // namespace

TEST_CASE("layers are made once, and combined without being made again") {
  Machine machine;
  StackLayers layers(*machine.loop, machine.options());
  auto made = machine.ensure(layers, "build-node-ruby");
  REQUIRE_MESSAGE(made, made.error().message);
  CHECK(machine.makings() == 2);
  const auto base = read_layout(machine.layout(), "build"),
             node = read_layout(machine.layout(), "build-node"),
             ruby = read_layout(machine.layout(), "build-ruby"),
             both = read_layout(machine.layout(), "build-node-ruby");
  REQUIRE(both);
  REQUIRE(both->layers.size() == 6);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(both->layers[i].digest == base->layers[i].digest);
    CHECK(both->layers[2 + i].digest == node->layers[2 + i].digest);
    CHECK(both->layers[4 + i].digest == ruby->layers[2 + i].digest);
  }
  CHECK(read_layout(machine.layout(), "run-node")->layers.size() == 2);
  REQUIRE(machine.ensure(layers, "run-node-ruby"));
  CHECK(read_layout(machine.layout(), "run-node-ruby")->layers.size() == 3);
  CHECK(machine.makings() == 2);
  CHECK(machine.told.front() == "Making the stack layer node: 57 packages, 38 MB to download");
}

TEST_CASE("a making that fails says what apt said, leaves nothing, and is tried anew") {
  Machine machine;
  StackLayers layers(*machine.loop, machine.options());
  REQUIRE(io::write_file_atomic(machine.path + "/fail", ""));
  const auto failed = machine.ensure(layers, "build-node");
  REQUIRE(!failed);
  CHECK(failed.error().message == "the stack layer node can't be made: E: Unable to locate package nodejs");
  CHECK(!read_layout(machine.layout(), "build-node"));
  CHECK(io::list_directory(machine.path + "/machine") == std::vector<std::string>{"lock"});
  CHECK(!io::path_exists(machine.path + "/node/images/making-node"));
  REQUIRE(io::remove_tree(machine.path + "/fail"));
  CHECK(machine.ensure(layers, "build-node"));
}

TEST_CASE("another instance takes a ready layer over; a damaged one is made again") {
  Machine machine;
  StackLayers first(*machine.loop, machine.options());
  REQUIRE(machine.ensure(first, "run-node"));
  const auto run = read_layout(machine.layout(), "run-node");
  REQUIRE(run);
  REQUIRE(io::remove_tree(machine.layout() + "/layers"));  // as in an instance that has none yet
  StackLayers second(*machine.loop, machine.options("/node2"));
  REQUIRE(machine.ensure(second, "run-node"));
  CHECK(machine.makings() == 1);
  CHECK(machine.told.back().starts_with("node: taken from this machine's ready layers"));
  for (const auto& name : *io::list_directory(machine.path + "/machine")) {
    if (name == "lock") continue;
    const std::string blobs = machine.path + "/machine/" + name;
    REQUIRE(io::write_file_atomic(blob_path(blobs, run->layers.back().digest), "half"));
  }
  REQUIRE(io::remove_tree(machine.layout() + "/layers"));
  REQUIRE(machine.ensure(second, "run-node"));
  CHECK(machine.makings() == 2);
}

namespace {

io::Task<void> ensure_both(StackLayers* layers, std::vector<Result<void>>* ended, size_t all,
                           io::Loop* loop) {
  ended->push_back(co_await layers->ensure("run-node", {}));
  if (ended->size() == all) loop->stop();
}

}  // namespace

TEST_CASE("pods and instances that need one layer at once share one making") {
  Machine machine;
  std::vector<Result<void>> ended;
  StackLayers first(*machine.loop, machine.options());
  auto other = machine.options("/node2");
  other.layout = machine.path + "/images2/stack";
  REQUIRE(io::make_directories(machine.path + "/images2"));
  REQUIRE(put_copy(machine.layout(), other.layout));
  StackLayers second(*machine.loop, other);
  io::TaskScope scope(*machine.loop);
  for (StackLayers* layers : {&first, &first, &second, &second})
    scope.spawn(ensure_both(layers, &ended, 4, machine.loop.get()));
  machine.loop->run();
  REQUIRE(ended.size() == 4);
  for (const auto& end : ended) CHECK(end);
  CHECK(machine.makings() == 1);
  CHECK(read_layout(other.layout, "run-node"));
}

TEST_CASE("a blob with an altered byte is taken off the instance and the machine, and made anew") {
  Machine machine;
  StackLayers layers(*machine.loop, machine.options());
  REQUIRE(machine.ensure(layers, "run-node"));
  CHECK(io::block_on(*machine.loop, layers.mend("run-node")).error().code == Code::kNotFound);
  const std::string digest = read_layout(machine.layout(), "run-node")->layers.back().digest;
  const std::string blob = blob_path(machine.layout(), digest);
  auto bytes = io::read_file(blob);
  REQUIRE(bytes);
  bytes->at(600) ^= 1;
  std::ofstream(blob, std::ios::in) << *bytes;  // the machine's too: it is one file
  REQUIRE(!verify_blob(blob, digest));
  SUBCASE("of a layer") {
    REQUIRE(io::block_on(*machine.loop, layers.mend("run-node")));
    REQUIRE(machine.ensure(layers, "run-node"));
    CHECK(machine.makings() == 2);
    const std::string fresh = read_layout(machine.layout(), "run-node")->layers.back().digest;
    CHECK(verify_blob(blob_path(machine.layout(), fresh), fresh));
    StackLayers other(*machine.loop, machine.options("/node2"));
    REQUIRE(io::remove_tree(machine.layout() + "/layers"));
    REQUIRE(machine.ensure(other, "run-node"));
    CHECK(machine.makings() == 2);
  }
  SUBCASE("of the base: what makes it anew is said") {
    const std::string base = read_layout(machine.layout(), "run")->layers.front().digest;
    std::ofstream(blob_path(machine.layout(), base), std::ios::in) << "x";
    for (int i = 0; i < 2; ++i) {  // damaged, then gone
      const auto mended = io::block_on(*machine.loop, layers.mend("run-node"));
      REQUIRE(!mended);
      CHECK(mended.error().message.find("`skiff up`, makes them anew") != std::string::npos);
    }
    CHECK(!has_blobs(machine.layout(), *read_layout(machine.layout(), "run")));
  }
}

TEST_CASE("what only the layer before needed leaves the layout, what is composed of it too") {
  Machine machine;
  StackLayers layers(*machine.loop, machine.options());
  REQUIRE(machine.ensure(layers, "build-node-ruby"));
  const auto before = io::list_directory(machine.layout() + "/blobs/sha256");
  REQUIRE(io::write_file_atomic(machine.path + "/recipes/node", "run: nodejs\nbuild: npm yarnpkg\n"));
  REQUIRE(machine.ensure(layers, "run-node"));
  CHECK(!read_layout(machine.layout(), "build-node-ruby"));
  for (const char* tag : {"run", "build", "run-node", "build-node", "run-ruby", "build-ruby"}) {
    CAPTURE(tag);
    const auto image = read_layout(machine.layout(), tag);
    REQUIRE(image);
    CHECK(has_blobs(machine.layout(), *image));
  }
  REQUIRE(machine.ensure(layers, "build-node-ruby"));
  CHECK(io::list_directory(machine.layout() + "/blobs/sha256")->size() == before->size());
}

TEST_CASE("after a cut at any step a layer that is vouched for is whole") {
  Machine machine;
  REQUIRE(io::make_directories(machine.path + "/node/images"));
  {
    StackLayers layers(*machine.loop, machine.options());
    REQUIRE(machine.ensure(layers, "run-node"));
  }
  const std::string name = io::list_directory(machine.path + "/machine")->back();
  const auto made = read_layer_entry(machine.path + "/machine/" + name);
  REQUIRE(made);
  REQUIRE(io::make_directories(machine.path + "/second"));
  REQUIRE(put_copy(machine.path + "/machine/" + name, machine.path + "/second/made"));
  REQUIRE(io::remove_tree(machine.layout()));
  machine.make_base();
  testing::PowerCut power(machine.path);
  REQUIRE(LayerStore(machine.path + "/second").keep(machine.path + "/second/made", *made));
  REQUIRE(StackLayout(machine.layout()).install(machine.path + "/second/made", *made));
  REQUIRE(power.cuts() > 5);
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string root = power.after_cut(i);
    const std::string entry = LayerStore(root + "/second").entry("node", made->key);
    if (read_layer_entry(entry)) CHECK(verify_blob(blob_path(entry, made->run), made->run));
    const StackLayout layout(root + "/images/stack");
    if (layout.has("node", made->key)) CHECK(verify_blob(blob_path(layout.folder(), made->run), made->run));
  }
  CHECK(StackLayout(power.after_cut(power.cuts()) + "/images/stack").has("node", made->key));
}

TEST_CASE("another recipe or another base asks for other layers") {
  Machine machine;
  StackLayers layers(*machine.loop, machine.options());
  REQUIRE(machine.ensure(layers, "run-node"));
  REQUIRE(io::write_file_atomic(machine.path + "/recipes/node", "run: nodejs\nbuild: npm yarnpkg\n"));
  REQUIRE(machine.ensure(layers, "run-node"));
  CHECK(machine.makings() == 2);
  REQUIRE(io::write_file_atomic(machine.path + "/base/usr/more", "of an update"));
  machine.make_base();
  REQUIRE(machine.ensure(layers, "run-node"));
  CHECK(machine.makings() == 3);
}

TEST_CASE("without a base nothing is made, and it says what makes it") {
  Machine machine;
  REQUIRE(io::remove_tree(machine.layout()));
  StackLayers layers(*machine.loop, machine.options());
  const auto failed = machine.ensure(layers, "run-node");
  REQUIRE(!failed);
  CHECK(failed.error().message.find("`skiff up` makes them") != std::string::npos);
  CHECK(machine.makings() == 0);
}
