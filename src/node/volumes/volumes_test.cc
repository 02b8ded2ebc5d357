#include "node/volumes/volumes.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "io/file.h"
#include "io/scope.h"
#include "io/sim_loop.h"
#include "node/api/fake_api.h"

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr const char* kMap = "/api/v1/namespaces/n/configmaps/";
constexpr const char* kPod = R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{"volumes":[
  {"name":"first","configMap":{"name":"a"}},{"name":"second","configMap":{"name":"b"}}]}})";

const NodeIdentity kNode{"node1", "192.0.2.2", 2000, 1 << 30, 1 << 20};

struct Rig {
  io::SimLoop loop{1};
  FakeApi api{loop};
  std::string root = "/tmp/skiff-volumes-XXXXXX";
  json::Value pod = *json::parse(kPod);
  std::optional<Result<PreparedVolumes>> prepared;
  std::unique_ptr<VolumeManager> volumes;
  io::TaskScope scope{loop};

  Rig() {
    REQUIRE(::mkdtemp(root.data()) != nullptr);
    volumes = std::make_unique<VolumeManager>(loop, api, NodePaths{root}, kNode);
  }
  ~Rig() { auto removed = io::remove_tree(root); }
  void write(const std::string& name, const std::string& text) {
    api.put(kMap + name, json::Value::object({{"metadata", json::Value::object({{"name", name}})},
                                              {"data", json::Value::object({{"key", text}})}}));
  }
  static io::Task<void> keep(Rig& rig) {
    auto result = co_await rig.volumes->prepare(rig.pod);
    rig.prepared = std::move(result);
  }
  void prepare() {
    scope.spawn(keep(*this));
    loop.run_until_idle();
  }
  void refresh() {
    scope.spawn(volumes->refresh(pod));
    loop.run_until_idle();
  }
  std::string text(const std::string& volume) {
    return io::read_file(NodePaths{root}.volumes("u") + "/" + volume + "/key").value_or("none");
  }
};

}  // namespace

TEST_CASE("a deleted ConfigMap keeps its files and does not keep other volumes from their refresh") {
  Rig rig;
  rig.write("a", "1");
  rig.write("b", "1");
  rig.prepare();
  REQUIRE(rig.prepared->has_value());
  rig.api.erase(std::string(kMap) + "a");
  rig.write("b", "2");
  rig.refresh();
  CHECK(rig.text("first") == "1");
  CHECK(rig.text("second") == "2");
}

TEST_CASE("what a killed agent left of a volume's versions goes with the next look at it") {
  Rig rig;
  rig.write("a", "1");
  rig.write("b", "1");
  rig.prepare();
  const std::string folder = NodePaths{rig.root}.volumes("u") + "/first";
  REQUIRE(io::make_directories(folder + "/..LEFT/folder"));
  REQUIRE(io::write_file_atomic(folder + "/..data_tmp", ""));
  rig.refresh();
  CHECK(rig.text("first") == "1");
  const auto names = io::list_directory(folder);
  REQUIRE(names);
  CHECK(names->size() == 3);  // the version, ..data and the key
  CHECK(!io::path_exists(folder + "/..LEFT"));
}

TEST_CASE("a downward volume tells the node's size where a container sets no limit") {
  Rig rig;
  rig.pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{
    "containers":[{"name":"c","resources":{"limits":{"memory":"3Mi"}}}],"volumes":[{"name":"d","downwardAPI":{"items":[
      {"path":"cpu","resourceFieldRef":{"containerName":"c","resource":"limits.cpu"}},
      {"path":"key","resourceFieldRef":{"containerName":"c","resource":"limits.memory","divisor":"2Mi"}}]}}]}})");
  rig.prepare();
  REQUIRE(rig.prepared->has_value());
  CHECK(io::read_file(NodePaths{rig.root}.volumes("u") + "/d/cpu").value_or("none") == "2");
  CHECK(rig.text("d") == "2");
}

TEST_CASE("a token is fetched again when most of its time is over, not at each refresh") {
  Rig rig;
  rig.pod = *json::parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{"volumes":[
    {"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"token","expirationSeconds":1000}},
                                        {"serviceAccountToken":{"path":"other","audience":"a"}}]}}]}})");
  const auto requests = [&rig] {
    return rig.api.list("/api/v1/namespaces/n/serviceaccounts/default/token").size();
  };
  rig.prepare();
  REQUIRE(rig.prepared->has_value());
  CHECK(requests() == 2);
  rig.loop.advance(std::chrono::seconds(790));
  rig.refresh();
  CHECK(requests() == 2);
  rig.loop.advance(std::chrono::seconds(20));
  rig.refresh();
  CHECK(requests() == 3);
  rig.volumes->forget("u");
  rig.refresh();
  CHECK(requests() == 5);
}

TEST_CASE("a pod whose volume can't be made is told which one") {
  Rig rig;
  rig.write("b", "1");
  rig.prepare();
  REQUIRE(!rig.prepared->has_value());
  CHECK(rig.prepared->error().message.find("failed for volume \"first\"") != std::string::npos);
}

TEST_CASE("what a pod's files come to is bounded, for all its volumes together") {
  Rig rig;
  rig.write("a", std::string(1 << 20, 'a'));
  const auto volume = [](const std::string& name, int items) {
    json::Value list = json::Value::array();
    for (int i = 0; i < items; ++i) {
      list.push_back(json::Value::object({{"key", "key"}, {"path", name + std::to_string(i)}}));
    }
    const auto map = json::Value::object({{"name", "a"}, {"items", list}});
    return json::Value::object({{"name", name}, {"configMap", map}});
  };
  const auto try_prepare = [&](json::Value list) {
    rig.pod.edit("spec").set("volumes", std::move(list));
    rig.prepare();
    return rig.prepared->has_value() ? "" : rig.prepared->error().message;
  };
  CHECK(try_prepare(json::Value::array({volume("first", 16)})) == "");
  const std::string refused =
      "the pod's files from ConfigMaps, Secrets and the downward API come to more than 16777216 bytes; mount "
      "fewer of them";
  CHECK(try_prepare(json::Value::array({volume("many", 200)})).ends_with(refused));
  CHECK(try_prepare(json::Value::array({volume("first", 10), volume("second", 7)})).ends_with(refused));
  CHECK(!io::path_exists(NodePaths{rig.root}.volumes("u") + "/second"));
}

TEST_CASE("a volume that names too much is refused before all of it is read") {
  Rig rig;
  json::Value sources = json::Value::array();
  const auto source = [](const std::string& name) {
    return json::Value::object({{"configMap", json::Value::object({{"name", name}, {"optional", true}})}});
  };
  for (int i = 0; i < 20; ++i) {
    const std::string name = "m" + std::to_string(i);
    rig.write(name, std::string(1 << 20, 'x'));
    sources.push_back(source(name));
  }
  const auto set = [&] {
    const auto projected = json::Value::object({{"sources", sources}});
    rig.pod.edit("spec").set(
        "volumes", json::Value::array({json::Value::object({{"name", "p"}, {"projected", projected}})}));
    rig.prepare();
    return rig.prepared->has_value() ? "" : rig.prepared->error().message;
  };
  CHECK(set().find("the ConfigMaps and Secrets come to more than 16777216 bytes") != std::string::npos);
  for (int i = 0; i < 600; ++i) sources.push_back(source("none" + std::to_string(i)));
  CHECK(set().find("more than 512 ConfigMaps and Secrets are named") != std::string::npos);
}
