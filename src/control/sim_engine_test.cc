// Behaviour that needs the API server and the controllers together: custom resources, namespaces, taints.
#include <doctest/doctest.h>

#include "control/sim_cluster.h"
#include "io/sync.h"

namespace skiff::control {

namespace {

using namespace std::chrono_literals;
constexpr const char* kGizmos = "/apis/e.example.com/v1/namespaces/shop/gizmos";
constexpr const char* kMaps = "/api/v1/namespaces/shop/configmaps";

class Engine {
 public:
  explicit Engine(FleetOptions fleet = {}) : cluster_({.fleet = fleet}) { REQUIRE(cluster_.start()); }
  Value create(const std::string& path, const char* text) {
    auto object = json::parse(text);
    REQUIRE(object);
    auto made = io::block_on(cluster_.loop(), cluster_.client().create(path, *object));
    if (!made) FAIL(made.error().message);
    return *made;
  }
  void remove(const std::string& path) {
    REQUIRE(io::block_on(cluster_.loop(), cluster_.client().remove(path, {})));
  }
  Value get(const std::string& path) {
    return io::block_on(cluster_.loop(), cluster_.client().get(path)).value_or(Value());
  }
  void patch(const std::string& path, const char* text) {
    auto done = io::block_on(cluster_.loop(),
                             cluster_.client().patch(path, kube::PatchType::kMerge, *json::parse(text)));
    if (!done) FAIL(done.error().message);
  }
  void define_gizmos() {
    create(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        R"({"metadata":{"name":"gizmos.e.example.com"},"spec":{"group":"e.example.com","scope":"Namespaced",
           "names":{"plural":"gizmos","kind":"Gizmo"},"versions":[{"name":"v1","served":true,"storage":true,
           "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})");
    pass(2s);
  }
  void pass(Duration time) { cluster_.loop().advance(time); }
  SimCluster& cluster() { return cluster_; }

 private:
  SimCluster cluster_;
};

std::string owned_by(const Value& owner, const char* kind) {
  return R"({"metadata":{"name":"owned","ownerReferences":[{"apiVersion":"e.example.com/v1","kind":")" +
         std::string(kind) + R"(","name":")" + name_of(owner) + R"(","uid":")" + uid_of(owner) + R"("}]}})";
}

}  // namespace

TEST_CASE("what a custom resource owns goes with it, and it goes with its namespace") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.define_gizmos();
  const auto gizmo =
      engine.create(kGizmos, R"({"apiVersion":"e.example.com/v1","kind":"Gizmo","metadata":{"name":"g"}})");
  engine.create(kMaps, owned_by(gizmo, "Gizmo").c_str());
  engine.pass(5s);
  CHECK(!engine.get(std::string(kMaps) + "/owned").is_null());
  engine.remove(std::string(kGizmos) + "/g");
  engine.pass(1s);
  CHECK(engine.get(std::string(kMaps) + "/owned").is_null());

  engine.create(kGizmos, R"({"apiVersion":"e.example.com/v1","kind":"Gizmo","metadata":{"name":"h"}})");
  engine.remove("/api/v1/namespaces/shop");
  engine.pass(5s);
  CHECK(engine.get("/api/v1/namespaces/shop").is_null());
  CHECK(engine.get(std::string(kGizmos) + "/h").is_null());
}

TEST_CASE("an object whose owner's kind is defined later is judged then") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.create(kMaps, R"({"metadata":{"name":"owned","ownerReferences":[{"apiVersion":"e.example.com/v1",
      "kind":"Gizmo","name":"gone","uid":"1-2-3"}]}})");
  engine.pass(5s);
  CHECK(!engine.get(std::string(kMaps) + "/owned").is_null());
  engine.define_gizmos();
  CHECK(engine.get(std::string(kMaps) + "/owned").is_null());
}

TEST_CASE("a definition that goes and comes again is watched again") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.define_gizmos();
  engine.remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gizmos.e.example.com");
  engine.pass(5s);
  engine.define_gizmos();
  const auto gizmo =
      engine.create(kGizmos, R"({"apiVersion":"e.example.com/v1","kind":"Gizmo","metadata":{"name":"g"}})");
  engine.create(kMaps, owned_by(gizmo, "Gizmo").c_str());
  engine.remove(std::string(kGizmos) + "/g");
  engine.pass(1s);
  CHECK(engine.get(std::string(kMaps) + "/owned").is_null());
}

TEST_CASE("a namespace that cannot go yet says what holds it") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.create(kMaps, R"({"metadata":{"name":"held","finalizers":["example.com/hold"]}})");
  engine.remove("/api/v1/namespaces/shop");
  engine.pass(2s);
  const auto space = engine.get("/api/v1/namespaces/shop");
  CHECK(space["status"]["phase"].str() == "Terminating");
  CHECK(find_condition(space, "NamespaceContentRemaining")["message"].str() ==
        "Some resources are remaining: configmaps. has 1 resource instances");
  CHECK(find_condition(space, "NamespaceFinalizersRemaining")["message"].str() ==
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances");
  CHECK(find_condition(space, "NamespaceDeletionDiscoveryFailure")["status"].str() == "False");
  engine.patch(std::string(kMaps) + "/held", R"({"metadata":{"finalizers":null}})");
  engine.pass(2s);
  CHECK(engine.get("/api/v1/namespaces/shop").is_null());
}

TEST_CASE("a NoExecute taint drives pods away at once, after a while or never, as they tolerate it") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  const std::string pods = "/api/v1/namespaces/shop/pods";
  engine.pass(1s);  // the default account comes
  const auto pod = [&](const char* name, const char* tolerations) {
    engine.create(
        pods, (std::string(R"({"metadata":{"name":")") + name +
               R"("},"spec":{"containers":[{"name":"a","image":"i"}],"tolerations":)" + tolerations + "}}")
                  .c_str());
  };
  pod("leaves", "[]");
  pod("stays", R"([{"key":"broken","operator":"Exists"}])");
  pod("waits", R"([{"key":"broken","operator":"Exists","effect":"NoExecute","tolerationSeconds":30}])");
  engine.pass(2s);
  engine.patch("/api/v1/nodes/node-0000", R"({"spec":{"taints":[{"key":"broken","effect":"NoExecute"}]}})");
  engine.pass(10s);
  CHECK(engine.get(pods + "/leaves").is_null());
  CHECK(!engine.get(pods + "/waits").is_null());
  engine.pass(40s);
  CHECK(engine.get(pods + "/waits").is_null());
  CHECK(!engine.get(pods + "/stays").is_null());
}

TEST_CASE("a pod with a scheduling gate says so and waits, and is placed when the gate goes") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.pass(1s);  // the default account comes
  const std::string pod = "/api/v1/namespaces/shop/pods/gated";
  engine.create("/api/v1/namespaces/shop/pods",
                R"({"metadata":{"name":"gated"},"spec":{"schedulingGates":[{"name":"example.com/hold"}],
                    "containers":[{"name":"a","image":"i"}]}})");
  engine.pass(5s);
  const auto waits = engine.get(pod);
  CHECK(waits["spec"]["nodeName"].is_null());
  const auto& condition = find_condition(waits, "PodScheduled");
  CHECK(condition["status"].str() == "False");
  CHECK(condition["reason"].str() == "SchedulingGated");
  CHECK(condition["message"].str() == "Scheduling is blocked due to non-empty scheduling gates");
  engine.patch(pod, R"({"spec":{"schedulingGates":null}})");
  engine.pass(1s);
  CHECK(engine.get(pod)["spec"]["nodeName"].str() == "node-0000");
  CHECK(find_condition(engine.get(pod), "PodScheduled")["status"].str() == "True");
}

namespace {
// Each as large as more than half of the node, and two seconds after the one before.
class Crowd {
 public:
  explicit Crowd(std::initializer_list<const char*> names) {
    engine_.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
    engine_.pass(1s);  // the default account comes
    for (const std::string name : names) {
      engine_.create(kPods, (R"({"metadata":{"name":")" + name + R"("},"spec":{"containers":[
          {"name":"a","image":"i","resources":{"requests":{"cpu":"20"}}}]}})")
                                .c_str());
      engine_.pass(2s);
    }
  }
  bool placed(const std::string& name) {
    return !engine_.get(kPods + ("/" + name))["spec"]["nodeName"].str().empty();
  }
  void remove(const std::string& name) {
    engine_.remove(kPods + ("/" + name));
    engine_.pass(2s);
  }
  Engine& engine() { return engine_; }

 private:
  static constexpr const char* kPods = "/api/v1/namespaces/shop/pods";
  Engine engine_;
};
}  // namespace

TEST_CASE("of the pods that wait for room the oldest is placed first, whatever its name") {
  Crowd crowd({"first", "oldest", "b", "a"});
  for (const auto& [gone, next] : {std::pair{"first", "oldest"}, {"oldest", "b"}, {"b", "a"}}) {
    REQUIRE(crowd.placed(gone));
    REQUIRE(!crowd.placed(next));
    crowd.remove(gone);
    CHECK(crowd.placed(next));
  }
}

TEST_CASE("of the pods that waited while the scheduler was away the oldest is placed first") {
  Crowd crowd({"first", "oldest", "b", "a"});
  REQUIRE(crowd.placed("first"));
  crowd.engine().cluster().stop_controllers();
  crowd.remove("first");
  crowd.engine().cluster().start_controllers();
  crowd.engine().pass(5s);
  CHECK(crowd.placed("oldest"));
  CHECK(!crowd.placed("b"));
  CHECK(!crowd.placed("a"));
}

TEST_CASE("Endpoints that a user wrote are mirrored into a slice, until their Service gets a selector") {
  Engine engine;
  engine.create("/api/v1/namespaces", R"({"metadata":{"name":"shop"}})");
  engine.create(
      "/api/v1/namespaces/shop/endpoints",
      R"({"metadata":{"name":"db"},"subsets":[{"addresses":[{"ip":"192.0.2.1"}],"ports":[{"port":80}]}]})");
  engine.create("/api/v1/namespaces/shop/services",
                R"({"metadata":{"name":"db"},"spec":{"ports":[{"port":80}]}})");
  const auto slices = [&] {
    engine.pass(2s);
    return engine.get("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices")["items"].items();
  };
  REQUIRE(slices().size() == 1);
  CHECK(slices()[0]["endpoints"].at(0)["addresses"].at(0).str() == "192.0.2.1");
  engine.remove("/api/v1/namespaces/shop/endpoints/db");
  CHECK(slices().empty());
  engine.create(
      "/api/v1/namespaces/shop/endpoints",
      R"({"metadata":{"name":"db"},"subsets":[{"addresses":[{"ip":"192.0.2.2"}],"ports":[{"port":80}]}]})");
  REQUIRE(slices().size() == 1);
  engine.patch("/api/v1/namespaces/shop/services/db", R"({"spec":{"selector":{"app":"db"}}})");
  REQUIRE(slices().size() == 1);
  CHECK(slices()[0]["endpoints"].empty());
}

TEST_CASE("Events go an hour after they were last counted") {
  Engine engine;
  REQUIRE(engine.cluster().deploy("shop", "web", 2));
  engine.pass(10s);
  const auto count = [&] {
    return io::block_on(engine.cluster().loop(), engine.cluster().client().list("/api/v1/events", ""))
        .value_or(Value())["items"]
        .size();
  };
  CHECK(count() > 4);
  engine.pass(50min);
  CHECK(count() > 4);
  engine.pass(20min);
  CHECK(count() == 0);
}

TEST_CASE("the old annotation rolls a Deployment back and goes away") {
  Engine engine;
  REQUIRE(engine.cluster().deploy("shop", "web", 2));
  const auto done = [&] { return engine.cluster().rolled_out(); };
  REQUIRE(engine.cluster().run_until(done, 30s));
  REQUIRE(engine.cluster().set_image("shop", "web", "web:2"));
  REQUIRE(engine.cluster().run_until(done, 30s));
  const std::string web = "/apis/apps/v1/namespaces/shop/deployments/web";
  engine.patch(web, R"({"metadata":{"annotations":{"deprecated.deployment.rollback.to":"1"}}})");
  engine.pass(5s);
  const auto deployment = engine.get(web);
  CHECK(deployment["spec"]["template"]["spec"]["containers"].at(0)["image"].str() == "web:1");
  CHECK(annotation(deployment, "deprecated.deployment.rollback.to").empty());
  CHECK(annotation(deployment, "deployment.kubernetes.io/revision") == "3");
}

}  // namespace skiff::control
