#include "platform/renames/renames.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "base/strings.h"
#include "io/file.h"
#include "io/sim_loop.h"
#include "platform/apps/fake_cluster.h"
#include "platform/images/layout_writer.h"
#include "platform/resources/definitions.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;
using State = Renames::Outcome::State;

namespace {

constexpr Duration kLongTime = std::chrono::minutes(5);

// The platform, as far as renames know it; it dies with its object.
struct Life {
  Life(io::Loop& loop, FakeCluster& cluster, const DiskPlaces& places, RenameWatch watch)
      : apps(loop, cluster, places.images, "localhost", ""),
        logs(loop, places.data + "/logs"),
        renames(loop, cluster, apps, logs, places, std::move(watch)),
        scope(loop) {}
  Apps apps;
  LogStore logs;
  Renames renames;
  io::TaskScope scope;
};

struct World {
  World() {
    for (const char* name : {"git", "logs", "build-output", "cache"})
      REQUIRE(io::make_directories(places.data + "/" + name));
    begin_life();
    make_shop();
  }
  ~World() {
    life.reset();
    auto removed = io::remove_tree(folder);
  }

  void begin_life() {
    cluster.callback = nullptr;
    life.reset();
    cluster.last_write = INT_MAX;
    life = std::make_unique<Life>(loop, cluster, places,
                                  RenameWatch{[this](const std::string&) { return work; },
                                              [this](const std::string& app) { return pods(app); }});
    REQUIRE(run(life->renames.start()));
    for (const auto& app : *run(life->apps.list())) life->logs.begin(app["metadata"]["name"].str());
    REQUIRE(life->logs.sweep());
    life->apps.start();
    loop.advance(std::chrono::seconds(1));
  }
  template <typename T>
  static io::Task<void> keep(io::Task<T> task, std::optional<T>& outcome) {
    auto result = co_await std::move(task);
    outcome.emplace(std::move(result));
  }
  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> outcome;
    life->scope.spawn(keep(std::move(task), outcome));
    REQUIRE(loop.run_until([&] { return outcome.has_value(); }, kLongTime));
    return std::move(*outcome);
  }

  // An app with three releases, a build, a repository and a log; it serves with two dynos.
  void make_shop() {
    REQUIRE(run(life->apps.create("shop")));
    life->logs.begin("shop");
    life->logs.append("shop", {loop.wall_now(), "app", "web.1"}, "before");
    const std::string layout = places.images + "/shop", blobs = layout + "/blobs/sha256";
    REQUIRE(io::make_directories(blobs));
    REQUIRE(io::write_file_atomic(blobs + "/m", "{}"));
    REQUIRE(io::write_file_atomic(layout + "/oci-layout", "{}"));
    REQUIRE(io::write_file_atomic(
        layout + "/index.json",
        R"({"manifests":[{"digest":"sha256:m","annotations":{"org.opencontainers.image.ref.name":"b1"}}]})"));
    REQUIRE(run(life->apps.release_slug("shop", {"skiff.local/shop:b1", "c0ffee", {{"web", "bin/web"}}})));
    REQUIRE(run(life->apps.change_config("shop", Value::object({{"KEY", "value"}}))));
    REQUIRE(run(life->apps.scale("shop", {{"web", 2}})));
    auto build = make_resource("Build", "shop", "b1", Value::object({{"commit", "c0ffee"}}));
    build.set("status", Value::object({{"phase", "Succeeded"}, {"output", "/apps/shop/builds/b1"}}));
    REQUIRE(run(cluster.create(resources_path("builds", "shop"), build)));
    REQUIRE(io::make_directories(places.data + "/git/shop.git"));
    REQUIRE(io::write_file_atomic(places.data + "/git/shop.git/HEAD", "ref: refs/heads/main\n"));
    REQUIRE(io::make_directories(places.data + "/build-output/shop"));
    REQUIRE(io::write_file_atomic(places.data + "/build-output/shop/b1.txt", "output"));
    created = (*run(life->apps.release("shop", 1))).created_at;
    id = app_id(*run(life->apps.get("shop"))).str();
    loop.advance(std::chrono::hours(1));
  }
  // What a Deployment stands for: as many dynos as it asks for.
  std::optional<std::vector<Value>> pods(const std::string& app) {
    const auto found = cluster.objects.find("/apis/apps/v1/namespaces/" + app + "/deployments/web");
    std::vector<Value> out;
    if (found == cluster.objects.end()) return out;
    const std::string ready = app == "store" && !store_comes_up ? "False" : "True";
    const std::string last = ready == "True" ? "{}" : R"({"terminated":{"exitCode":1}})";
    for (int64_t i = 0; i < found->second["spec"]["replicas"].as_int(); ++i) {
      out.push_back(*json::parse(
          R"({"metadata":{"name":"web-x-y","labels":{"skiff.dev/process":"web"},"annotations":{"skiff.dev/dyno":"web.1"}},)"
          R"("status":{"conditions":[{"type":"Ready","status":")" +
          ready +
          R"("}],"containerStatuses":[{"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":)" +
          last + "}]}}"));
    }
    return out;
  }
  bool has_record() {
    for (const auto& [path, object] : cluster.objects) {
      if (parse_rename_record(object)) return true;
    }
    return false;
  }
  bool settle() {
    return loop.run_until([&] { return !has_record() && names_in_use().size() == 1; }, kLongTime);
  }
  // Namespaces, folders and files that bear a name of the app.
  std::set<std::string> names_in_use() {
    std::set<std::string> names;
    for (const std::string name : {"shop", "store"}) {
      for (const auto& [path, object] : cluster.objects) {
        if (path.ends_with("/namespaces/" + name) || path.find("/namespaces/" + name + "/") != path.npos)
          names.insert(name);
      }
      for (const char* file : {"/platform/git/", "/platform/build-output/", "/platform/logs/", "/images/"}) {
        for (const auto& entry : *io::list_directory(folder + file)) {
          if (entry.starts_with(name)) names.insert(name);
        }
      }
    }
    return names;
  }
  std::string log_of(const std::string& app) {
    auto cursor = life->logs.last(app, kKeptLines);
    return life->logs.take(cursor);
  }
  // All of the app is there, under this name and no other.
  void check_is(const std::string& name) {
    CHECK(names_in_use() == std::set<std::string>{name});
    const auto apps = run(life->apps.list());
    REQUIRE(apps->size() == 1);
    CHECK((*apps)[0]["metadata"]["name"].str() == name);
    CHECK(created_at((*apps)[0]) == created);
    CHECK(app_id((*apps)[0]).str() == id);
    const auto releases = run(life->apps.releases(name));
    REQUIRE(releases->size() == 3);
    for (const auto& release : *releases) CHECK(release.created_at == created);
    CHECK(releases->back().description == "Set KEY config vars");
    CHECK(releases->back().image == "skiff.local/" + name + ":b1");
    CHECK(has_app_image(places.images, releases->back().image));
    CHECK((*run(life->apps.config(name)))["KEY"].str() == "value");
    const auto formation = run(life->apps.formation(name));
    REQUIRE(formation->size() == 1);
    CHECK(formation->front().quantity == 2);
    const auto build = run(cluster.get(resource_path("builds", name, "b1")));
    CHECK((*build)["status"]["phase"].str() == "Succeeded");
    CHECK((*build)["status"]["output"].str() == "/apps/" + name + "/builds/b1");
    CHECK(io::read_file(places.data + "/git/" + name + ".git/HEAD").value_or("") == "ref: refs/heads/main\n");
    CHECK(io::read_file(places.data + "/build-output/" + name + "/b1.txt").value_or("") == "output");
    const auto ingress = run(cluster.get("/apis/networking.k8s.io/v1/namespaces/" + name + "/ingresses/web"));
    CHECK((*ingress)["spec"]["rules"].at(0)["host"].str() == name + ".localhost");
    CHECK(log_of(name).find("app[web.1]: before\n") != std::string::npos);
    life->logs.append(name, {loop.wall_now(), "app", "web.1"}, "after");
    CHECK(log_of(name).find("app[web.1]: after\n") != std::string::npos);
  }

  std::string folder = [] {
    char name[] = "/tmp/skiff-renames-XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  DiskPlaces places{folder + "/platform", folder + "/images"};
  io::SimLoop loop{1};
  FakeCluster cluster{loop};
  std::string work, created, id;
  bool store_comes_up = true;
  std::unique_ptr<Life> life;
};

}  // namespace

TEST_CASE("a renamed app is all there under its new name, and its old name is free") {
  World world;
  REQUIRE(world.run(world.life->renames.begin("shop", "store")));
  CHECK(world.run(world.life->renames.wait("shop", "store", kLongTime)).state == State::kFree);
  world.check_is("store");
  CHECK(world.run(world.life->renames.find_new_name("shop")) == "store");
  REQUIRE(world.run(world.life->renames.begin("store", "shop")));
  CHECK(world.run(world.life->renames.wait("store", "shop", kLongTime)).state == State::kFree);
  world.check_is("shop");
  CHECK(world.run(world.life->renames.find_new_name("store")) == "shop");
  CHECK(world.run(world.life->renames.find_new_name("shop")) == "");
}

TEST_CASE("a platform that dies at any write leaves a rename that the next one ends") {
  int writes = 0;
  {
    World world;
    world.cluster.writes = 0;
    REQUIRE(world.run(world.life->renames.begin("shop", "store")));
    REQUIRE(world.run(world.life->renames.wait("shop", "store", kLongTime)).state == State::kFree);
    writes = world.cluster.writes;
  }
  REQUIRE(writes > 15);
  for (int last = 0; last < writes; ++last) {
    for (const bool after : {false, true}) {
      CAPTURE(last);
      CAPTURE(after);
      World world;
      world.cluster.writes = 0;
      world.cluster.last_write = last;
      world.cluster.dies_after = after;
      std::optional<Result<void>> begun;
      world.life->scope.spawn(World::keep(world.life->renames.begin("shop", "store"), begun));
      world.loop.advance(std::chrono::minutes(1));
      world.begin_life();
      REQUIRE(world.settle());
      world.check_is(last == 0 && !after ? "shop" : "store");
    }
  }
}

TEST_CASE("an app whose dynos do not come up under the new name keeps the old one") {
  World world;
  world.store_comes_up = false;
  REQUIRE(world.run(world.life->renames.begin("shop", "store")));
  const auto outcome = world.run(world.life->renames.wait("shop", "store", kLongTime));
  CHECK(outcome.state == State::kUndone);
  CHECK(outcome.why == "web.1: exited with status 1");
  world.check_is("shop");
  CHECK(world.log_of("shop").find("Rename to store undone: web.1: exited with status 1") !=
        std::string::npos);
  CHECK(world.run(world.life->renames.find_new_name("store")) == "");
}

TEST_CASE("an undoing that is cut goes on") {
  World world;
  world.store_comes_up = false;
  REQUIRE(world.run(world.life->renames.begin("shop", "store")));
  world.cluster.keeps_namespaces = true;
  const auto is_deleted = [&] {
    return world.cluster.objects["/api/v1/namespaces/store"]["metadata"].contains("deletionTimestamp");
  };
  REQUIRE(world.loop.run_until(is_deleted, kLongTime));
  world.begin_life();
  world.loop.advance(std::chrono::minutes(1));
  CHECK(world.life->renames.check("shop", Renames::Use::kChange).error().code == Code::kConflict);
  world.cluster.erase("/api/v1/namespaces/store");
  REQUIRE(world.settle());
  world.check_is("shop");
  world.loop.advance(std::chrono::minutes(1));
  CHECK(world.life->renames.check("shop", Renames::Use::kChange));
}

TEST_CASE("while an app is renamed it is not changed, and one name shows it") {
  World world;
  auto& renames = world.life->renames;
  using Use = Renames::Use;
  REQUIRE(world.run(renames.begin("shop", "store")));
  CHECK(renames.check("shop", Use::kLook));
  CHECK(renames.check("shop", Use::kChange).error().code == Code::kConflict);
  CHECK(renames.check("store", Use::kLook).error().code == Code::kNotFound);
  CHECK(renames.hides("store"));
  CHECK(renames.check_free("store").error().code == Code::kAlreadyExists);
  CHECK(world.run(renames.begin("shop", "third")).error().code == Code::kConflict);
  // The old namespace stays for a while: a dyno takes long to end.
  world.cluster.keeps_namespaces = true;
  REQUIRE(world.loop.run_until([&] { return renames.outcome("shop", "store").state == State::kDone; },
                               kLongTime));
  CHECK(renames.check("store", Use::kChange));
  CHECK(renames.check("store", Use::kEnd).error().code == Code::kConflict);
  CHECK(renames.check("shop", Use::kLook).error().code == Code::kNotFound);
  CHECK(renames.check_free("shop").error().code == Code::kAlreadyExists);
  CHECK(world.log_of("shop") == world.log_of("store"));
  world.loop.advance(std::chrono::minutes(1));
  world.cluster.erase("/api/v1/namespaces/shop");
  world.loop.advance(std::chrono::minutes(1));
  CHECK(renames.outcome("shop", "store").state == State::kFree);
  CHECK(renames.check_free("shop"));
}

TEST_CASE("what can't be renamed is refused with nothing changed") {
  World world;
  auto& renames = world.life->renames;
  const auto refusal = [&](const std::string& to) {
    return world.run(renames.begin("shop", to)).error().message;
  };
  CHECK(refusal("Store").find("lowercase") != std::string::npos);
  CHECK(refusal("api") == "Name api is used by the platform itself; take another");
  CHECK(refusal("shop") == "shop is its name already");
  REQUIRE(world.run(world.life->apps.create("other")));
  CHECK(refusal("other") == "Name other is already taken");
  world.cluster.objects["/api/v1/namespaces/strange"] =
      Value::object({{"metadata", Value::object({{"name", "strange"}})}});
  CHECK(refusal("strange") == "Name strange is already taken");
  world.work = "a build of shop";
  CHECK(refusal("store") == "a build of shop is going on; rename the app when it has ended");
  world.work.clear();
  world.cluster.objects["/apis/networking.k8s.io/v1/namespaces/shop/ingresses/mine"] =
      Value::object({{"metadata", Value::object({{"name", "mine"}, {"namespace", "shop"}})}});
  CHECK(refusal("store").find("did not make and a rename would lose: Ingress mine") != std::string::npos);
  CHECK_FALSE(world.has_record());
  CHECK(renames.check("shop", Renames::Use::kChange));
}

TEST_CASE(
    "an app that serves nothing is renamed without waiting, and one that was changed meanwhile is copied "
    "again") {
  World world;
  world.store_comes_up = false;
  REQUIRE(world.run(world.life->apps.scale("shop", {{"web", 0}})));
  world.store_comes_up = true;
  REQUIRE(world.run(world.life->renames.begin("shop", "store")));
  // With kubectl, which nobody can refuse.
  REQUIRE(world.run(world.life->apps.scale("shop", {{"web", 2}})));
  CHECK(world.run(world.life->renames.wait("shop", "store", kLongTime)).state == State::kFree);
  world.check_is("store");
}
