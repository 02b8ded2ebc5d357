#include "platform/apps/apps.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/strings.h"
#include "io/file.h"
#include "io/sim_loop.h"
#include "io/sync.h"
#include "platform/apps/fake_cluster.h"
#include "platform/apps/manifests.h"
#include "platform/apps/rollout.h"
#include "platform/images/layout_writer.h"
#include "platform/resources/definitions.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

constexpr const char* kWebDeployment = "/apis/apps/v1/namespaces/shop/deployments/web";

struct Folder {
  Folder() { path = ::mkdtemp(name); }
  ~Folder() { auto removed = io::remove_tree(path); }
  char name[32] = "/tmp/skiff-apps-XXXXXX";
  std::string path;
};

struct Rig {
  Rig() { REQUIRE(run(apps.create("shop"))); }

  template <typename T>
  static io::Task<void> keep(io::Task<T> task, std::optional<T>& outcome) {
    auto result = co_await std::move(task);
    outcome.emplace(std::move(result));
  }
  template <typename T>
  void begin(io::Task<T> task, std::optional<T>& outcome) {
    scope.spawn(keep(std::move(task), outcome));
  }
  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> outcome;
    begin(std::move(task), outcome);
    REQUIRE(loop.run_until([&] { return outcome.has_value(); }, std::chrono::minutes(1)));
    return std::move(*outcome);
  }
  Slug slug(const std::string& name) { return {"skiff.local/shop:" + name, name, {{"web", "bin/web"}}}; }
  Release newest() { return run(apps.releases("shop"))->back(); }

  // A push whose build succeeded.
  void push(const std::string& name) {
    const std::string layout = folder.path + "/shop", index = layout + "/index.json";
    REQUIRE(io::make_directories(layout + "/blobs/sha256"));
    REQUIRE(io::write_file_atomic(layout + "/blobs/sha256/m", "{}"));
    auto now = io::read_file(index);
    Value manifests = now ? (*json::parse(*now))["manifests"] : Value::array();
    manifests.push_back(
        Value::object({{"digest", "sha256:m"},
                       {"annotations", Value::object({{"org.opencontainers.image.ref.name", name}})}}));
    REQUIRE(io::write_file_atomic(index, json::encode(Value::object({{"manifests", manifests}}))));
    REQUIRE(run(apps.release_slug("shop", slug(name))));
  }
  bool has_image(const std::string& name) { return has_app_image(folder.path, slug(name).image); }
  // A pod that runs that build.
  void serve(const std::string& name) {
    Value container = Value::object({{"image", slug(name).image}});
    cluster.objects["/api/v1/namespaces/shop/pods/web-1"] =
        Value::object({{"spec", Value::object({{"containers", Value::array({container})}})}});
  }

  bool has_images() { return io::path_exists(folder.path + "/shop"); }

  Folder folder;
  io::SimLoop loop{1};
  FakeCluster cluster{loop};
  Apps apps{loop, cluster, folder.path, "localhost", ""};
  io::TaskScope scope{loop};
};

io::Task<Result<void>> refuse_files() {
  co_return fail(Code::kResourceExhausted, "the disk is full");
}

Value var(const char* name, const char* value) {
  return Value::object({{name, value}});
}

}  // namespace

TEST_CASE("config vars set at once are all kept") {
  Rig rig;
  std::optional<Result<std::optional<Release>>> first, second;
  rig.begin(rig.apps.change_config("shop", var("A", "1")), first);
  rig.begin(rig.apps.change_config("shop", var("B", "2")), second);
  REQUIRE(rig.loop.run_until([&] { return first && second; }, std::chrono::minutes(1)));
  const auto vars = rig.run(rig.apps.config("shop"));
  CHECK((*vars)["A"].str() == "1");
  CHECK((*vars)["B"].str() == "2");
}

TEST_CASE("a config var set during a push keeps the push's image, and the push the var") {
  Rig rig;
  REQUIRE(rig.run(rig.apps.release_slug("shop", rig.slug("old"))));
  std::optional<Result<Release>> pushed;
  std::optional<Result<std::optional<Release>>> set;
  rig.begin(rig.apps.release_slug("shop", rig.slug("new")), pushed);
  rig.begin(rig.apps.change_config("shop", var("A", "1")), set);
  REQUIRE(rig.loop.run_until([&] { return pushed && set; }, std::chrono::minutes(1)));
  CHECK(rig.newest().image == "skiff.local/shop:new");
  CHECK((*rig.run(rig.apps.config("shop")))["A"].str() == "1");
}

TEST_CASE("the images of a destroyed app go after its namespace, and nothing that a link there names") {
  Rig rig;
  const std::string images = rig.folder.path + "/shop", other = rig.folder.path + "/stack";
  REQUIRE(io::make_directories(images + "/blobs"));
  REQUIRE(io::make_directories(other + "/blobs"));
  REQUIRE(::symlink(other.c_str(), (images + "/blobs/link").c_str()) == 0);
  rig.cluster.keeps_namespaces = true;
  REQUIRE(rig.run(rig.apps.destroy("shop")));
  rig.loop.advance(std::chrono::minutes(5));
  CHECK(rig.has_images());
  rig.cluster.objects.erase("/api/v1/namespaces/shop");
  rig.loop.advance(std::chrono::seconds(5));
  CHECK_FALSE(rig.has_images());
  CHECK(io::path_exists(other + "/blobs"));
}

TEST_CASE("a new app of the same name keeps its images, and has none of the old one's") {
  Rig rig;
  REQUIRE(io::make_directories(rig.folder.path + "/shop/blobs"));
  rig.cluster.keeps_namespaces = true;
  REQUIRE(rig.run(rig.apps.destroy("shop")));
  rig.cluster.objects.erase("/api/v1/namespaces/shop");
  REQUIRE(rig.run(rig.apps.create("shop")));
  CHECK_FALSE(rig.has_images());
  REQUIRE(io::make_directories(rig.folder.path + "/shop/blobs"));
  rig.loop.advance(std::chrono::minutes(1));
  CHECK(rig.has_images());
}

TEST_CASE("a new platform removes the images of apps that were still being destroyed") {
  Rig rig;
  REQUIRE(io::make_directories(rig.folder.path + "/shop/blobs"));
  rig.cluster.keeps_namespaces = true;
  REQUIRE(rig.cluster.delete_namespace("/api/v1/namespaces/shop"));
  rig.apps.start();
  rig.loop.advance(std::chrono::seconds(5));
  CHECK(rig.has_images());
  rig.cluster.objects.erase("/api/v1/namespaces/shop");
  rig.loop.advance(std::chrono::seconds(5));
  CHECK_FALSE(rig.has_images());
}

TEST_CASE("a name that is taken keeps its images") {
  Rig rig;
  REQUIRE(io::make_directories(rig.folder.path + "/shop/blobs"));
  CHECK(rig.run(rig.apps.create("shop")).error().code == Code::kAlreadyExists);
  CHECK(rig.has_images());
}

TEST_CASE("what a former app left goes before there is an App, and never for a name that is taken") {
  Rig rig;
  int prepared = 0;
  const Apps::Prepare prepare = [&](std::string app) {
    ++prepared;
    CHECK_FALSE(rig.cluster.objects.contains(resource_path("apps", app, app)));
    return refuse_files();
  };
  CHECK(rig.run(rig.apps.create("blog", prepare)).error().code == Code::kResourceExhausted);
  CHECK(prepared == 1);
  CHECK_FALSE(rig.cluster.objects.contains(resource_path("apps", "blog", "blog")));
  CHECK(rig.run(rig.apps.create("shop", prepare)).error().code == Code::kAlreadyExists);
  CHECK(prepared == 1);
  CHECK(rig.run(rig.apps.create("blog")));
}

TEST_CASE("an app that was half made is taken up, and is then taken") {
  Rig rig;
  const std::string app = resource_path("apps", "shop", "shop");
  rig.cluster.erase(resource_path("releases", "shop", "v1"));
  rig.cluster.erase("/api/v1/namespaces/shop/secrets/" + config_secret_name(1));
  rig.cluster.objects[app].edit("spec").erase("release");
  REQUIRE(rig.run(rig.apps.create("shop")));
  CHECK(rig.newest().version == 1);
  CHECK(parse_app_spec(rig.cluster.objects[app]).release == 1);
  CHECK(rig.run(rig.apps.create("shop")).error().code == Code::kAlreadyExists);
}

TEST_CASE(
    "a release whose maker died before it became the app's has failed, and the others are as they were") {
  Rig rig;
  REQUIRE(rig.run(rig.apps.change_config("shop", var("A", "1"))));
  rig.cluster.objects[resource_path("apps", "shop", "shop")].edit("spec").set("release", 1);
  REQUIRE(rig.run(rig.apps.end_half_made("shop")));
  const auto all = *rig.run(rig.apps.releases("shop"));
  REQUIRE(all.size() == 2);
  CHECK(all[0].phase != kFailed);
  CHECK(all[1].phase == kFailed);
  CHECK(all[1].message.starts_with("Skiff was ended"));
  REQUIRE(rig.run(rig.apps.change_config("shop", var("A", "2"))));
  REQUIRE(rig.run(rig.apps.end_half_made("shop")));
  CHECK(rig.newest().version == 3);
  CHECK(rig.newest().phase != kFailed);
}

TEST_CASE("no app takes the place of the stack's images") {
  Rig rig;
  CHECK(rig.run(rig.apps.create("stack")).error().code == Code::kInvalidArgument);
}

TEST_CASE("a release that can't be rolled out yet is made, and runs when the cluster takes it") {
  Rig rig;
  rig.apps.start();
  rig.cluster.broken = "/deployments/";
  const auto release = rig.run(rig.apps.release_slug("shop", rig.slug("new")));
  REQUIRE(release);
  CHECK(release->written == Release::Written::kLater);
  rig.loop.advance(std::chrono::minutes(10));
  CHECK_FALSE(rig.cluster.objects.contains(kWebDeployment));
  rig.cluster.broken.clear();
  rig.loop.advance(std::chrono::minutes(1));
  CHECK(rig.cluster.objects.contains(kWebDeployment));
  CHECK(rig.run(rig.apps.release_slug("shop", rig.slug("newer")))->written == Release::Written::kNow);
}

TEST_CASE("the ten newest images are kept, and what serves while newer builds crash") {
  Rig rig;
  for (int i = 2; i <= 11; ++i) rig.push("b" + std::to_string(i));
  REQUIRE(rig.run(rig.apps.roll_back("shop", 2)));
  rig.serve("b2");
  for (int i = 13; i <= 23; ++i) rig.push("b" + std::to_string(i));
  CHECK(rig.has_image("b2"));
  CHECK_FALSE(rig.has_image("b11"));
  rig.serve("b23");
  rig.push("b24");
  CHECK_FALSE(rig.has_image("b2"));
  CHECK(rig.has_image("b15"));
}

TEST_CASE("the image that an app was rolled back to is kept after the next push, though nothing runs") {
  Rig rig;
  for (int i = 2; i <= 11; ++i) rig.push("b" + std::to_string(i));
  REQUIRE(rig.run(rig.apps.roll_back("shop", 2)));
  rig.push("b13");
  CHECK(rig.has_image("b2"));
  CHECK(rig.run(rig.apps.roll_back("shop", 12)));
}
