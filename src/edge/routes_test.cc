#include "edge/routes.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

json::Value parse(std::string_view text) {
  return json::parse(text).value();
}

// A cluster with a service "web" in the namespace "shop".
struct Cluster {
  ClusterView view;
  Cluster() {
    view.services["shop/web"] = parse(R"({"metadata":{"namespace":"shop","name":"web"},
      "spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80}]}})");
    view.namespaces["shop"] = parse(R"({"metadata":{"name":"shop"}})");
  }
  Cluster& ingress(const std::string& key, const std::string& host, const std::string& path = "/",
                   const std::string& type = "Prefix", const std::string& created = "2026-01-01T00:00:00Z") {
    const auto slash = key.find('/');
    view.ingresses[key] = parse(R"({"metadata":{"namespace":")" + key.substr(0, slash) + R"(","name":")" +
                                key.substr(slash + 1) + R"(","creationTimestamp":")" + created +
                                R"("},"spec":{"rules":[{"host":")" + host +
                                R"(","http":{"paths":[{"path":")" + path + R"(","pathType":")" + type +
                                R"(","backend":{"service":{"name":"web","port":{"number":80}}}}]}}]}})");
    return *this;
  }
  Cluster& endpoint(const std::string& pod, const std::string& conditions) {
    view.slices["shop/" + pod] = parse(
        R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "ports":[{"name":"http","port":5000}],"endpoints":[{"addresses":["10.0.0.1"],"conditions":)" +
        conditions + R"(,"targetRef":{"name":")" + pod + R"("}}]})");
    return *this;
  }
  Cluster& pod(const std::string& name, const std::string& status, const std::string& more = "") {
    view.pods["shop/" + name] = parse(R"({"metadata":{"namespace":"shop","name":")" + name +
                                      R"(","labels":{"app":"web"})" + more + R"(},"status":)" + status + "}");
    return *this;
  }
  RouteTable table() const { return make_routes(view, {"localhost", "127.0.0.1", 9000}); }
};

// The only app of a table without the platform.
App app_of(const Cluster& cluster) {
  const auto table = cluster.table();
  const App* app = table.find("shop.test", "/");
  REQUIRE(app != nullptr);
  return *app;
}

Cluster shop() {
  return Cluster().ingress("shop/web", "shop.test");
}

}  // namespace

TEST_CASE("a host is looked up in lower case, without port and without its last dot") {
  std::string buffer;
  CHECK(host_key("Shop.Example.org:8080", buffer) == "shop.example.org");
  CHECK(host_key("shop.", buffer) == "shop");
  CHECK(host_key("[::1]:80", buffer) == "[::1]");
  CHECK(host_key("", buffer).empty());
}

TEST_CASE("an exact host wins over a wildcard, which wins over none") {
  Cluster cluster;
  cluster.ingress("a/exact", "one.test").ingress("b/wild", "*.test").ingress("c/any", "");
  const auto table = cluster.table();
  CHECK(table.find("one.test", "/")->name == "a");
  CHECK(table.find("two.test", "/")->name == "b");
  CHECK(table.find("deep.two.test", "/")->name == "c");
  CHECK(table.find("test", "/")->name == "c");
}

TEST_CASE("of several paths the longest wins, and a prefix ends at a slash") {
  Cluster cluster;
  cluster.ingress("a/all", "h").ingress("b/deep", "h", "/api").ingress("c/exact", "h", "/api/x", "Exact");
  const auto table = cluster.table();
  CHECK(table.find("h", "/")->name == "a");
  CHECK(table.find("h", "/api")->name == "b");
  CHECK(table.find("h", "/api/y")->name == "b");
  CHECK(table.find("h", "/apix")->name == "a");
  CHECK(table.find("h", "/api/x")->name == "c");
  CHECK(table.find("h", "/api/x/y")->name == "b");
  CHECK(table.find("other", "/") == nullptr);
}

TEST_CASE("a host claimed twice belongs to the older Ingress") {
  Cluster cluster;
  cluster.ingress("aaa/late", "h", "/", "Prefix", "2026-02-01T00:00:00Z");
  cluster.ingress("zzz/early", "h", "/", "Prefix", "2026-01-01T00:00:00Z");
  CHECK(cluster.table().find("h", "/")->name == "zzz");
}

TEST_CASE("the platform's own hosts can't be taken by an Ingress") {
  Cluster cluster;
  cluster.ingress("evil/web", "api.localhost").ingress("evil/other", "localhost");
  const auto table = cluster.table();
  CHECK(table.find("api.localhost", "/")->platform);
  CHECK(table.find("localhost", "/")->platform);
}

TEST_CASE("ready pods serve, ending ones only in need") {
  auto cluster = shop();
  cluster.endpoint("a", R"({"ready":true})")
      .endpoint("b", R"({"ready":false,"serving":true,"terminating":true})");
  cluster.endpoint("c", R"({"ready":false})");
  const App app = app_of(cluster);
  REQUIRE(app.ready.size() == 1);
  CHECK(app.ready[0].dyno == "a");
  CHECK(app.ready[0].port == 5000);
  REQUIRE(app.serving.size() == 1);
  CHECK(app.serving[0].dyno == "b");
}

TEST_CASE("a pod being deleted serves no new request, even before its slice says so") {
  auto cluster = shop();
  cluster.endpoint("a", R"({"ready":true})");
  cluster.pod("a", R"({"phase":"Running"})", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")");
  const App app = app_of(cluster);
  CHECK(app.ready.empty());
  CHECK(app.serving.size() == 1);
}

TEST_CASE("without a ready pod the others are counted as starting or crashed") {
  auto cluster = shop();
  cluster.pod("a", R"({"phase":"Pending"})");
  cluster.pod(
      "b",
      R"({"phase":"Running","containerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]})");
  cluster.pod("c", R"({"phase":"Failed"})").pod("d", R"({"phase":"Succeeded"})");
  cluster.pod("e", R"({"phase":"Pending"})", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")");
  cluster.view.pods["shop2/x"] = parse(R"({"metadata":{"namespace":"shop2","labels":{"app":"web"}}})");
  const App app = app_of(cluster);
  CHECK(app.starting == 1);
  CHECK(app.crashed == 2);
}

TEST_CASE("annotations of the Ingress and the namespace name and mark the app") {
  auto cluster = shop();
  cluster.view.namespaces["shop"] = parse(
      R"({"metadata":{"name":"shop","annotations":{"skiff.dev/app":"my-shop","skiff.dev/maintenance":"true"}}})");
  const App app = app_of(cluster);
  CHECK(app.name == "my-shop");
  CHECK(app.log_namespace == "shop");
  CHECK(app.maintenance);
  CHECK_FALSE(app.blank);
}

TEST_CASE("a backend that does not exist is an app without pods") {
  Cluster cluster;
  cluster.ingress("other/web", "h");
  const auto table = cluster.table();
  REQUIRE(table.find("h", "/") != nullptr);
  CHECK(table.find("h", "/")->ready.empty());
}

}  // namespace skiff::edge
