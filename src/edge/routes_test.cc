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
  Cluster& named(const std::string& key, const std::string& app) {
    view.ingresses[key].edit("metadata").set("annotations", json::Value::object({{"skiff.dev/app", app}}));
    return *this;
  }
  Cluster& endpoint(const std::string& pod, const std::string& conditions) {
    view.slices["shop/" + pod] = parse(
        R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "ports":[{"name":"http","port":5000}],"endpoints":[{"addresses":["10.0.0.9"],"conditions":)" +
        conditions + R"(,"targetRef":{"name":")" + pod + R"("}}]})");
    return *this;
  }
  // A slice that somebody wrote by hand.
  Cluster& slice(const std::string& name, const std::string& address, int port = 5000) {
    view.slices["shop/" + name] = parse(
        R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},
        "ports":[{"name":"http","port":)" +
        std::to_string(port) + R"(}],"endpoints":[{"addresses":[")" + address + R"("]}]})");
    return *this;
  }
  Cluster& pod(const std::string& name, const std::string& status, const std::string& more = "") {
    view.pods["shop/" + name] = parse(R"({"metadata":{"namespace":"shop","name":")" + name +
                                      R"(","labels":{"app":"web"})" + more + R"(},"status":)" + status + "}");
    return *this;
  }
  RouteTable table() const {
    const BackendRules backends{parse_network("10.0.0.0/16").value(),
                                {{parse_ip("192.0.2.7").value(), 5000}}};
    return make_routes(view, {"localhost", "127.0.0.1", 9000, backends});
  }
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
  cluster.ingress("n/all", "h").ingress("n/deep", "h", "/api").ingress("n/exact", "h", "/api/x", "Exact");
  cluster.named("n/all", "a").named("n/deep", "b").named("n/exact", "c");
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

TEST_CASE("a host belongs to the namespace that named it first, with all its paths") {
  Cluster cluster;
  cluster.ingress("zzz/early", "h", "/app", "Prefix", "2026-01-01T00:00:00Z");
  cluster.ingress("aaa/late", "H", "/app/login", "Exact", "2026-02-01T00:00:00Z");
  cluster.ingress("aaa/other", "h", "/free", "Prefix", "2026-02-01T00:00:00Z");
  cluster.ingress("zzz/more", "h", "/more", "Prefix", "2026-03-01T00:00:00Z");
  const auto table = cluster.table();
  CHECK(table.find("h", "/app/login")->name == "zzz");
  CHECK(table.find("h", "/more")->name == "zzz");
  CHECK(table.find("h", "/free") == nullptr);
  CHECK(table.refusals == std::vector<std::string>{"Ingress aaa/late: host H belongs to namespace zzz",
                                                   "Ingress aaa/other: host h belongs to namespace zzz"});
}

TEST_CASE("a path that a host's owner does not serve leads to nobody else") {
  Cluster cluster;
  cluster.ingress("a/exact", "one.test", "/app").ingress("b/wild", "*.test").ingress("c/any", "");
  cluster.ingress("a/own", "*.own.test").ingress("a/part", "www.own.test", "/app");
  const auto table = cluster.table();
  CHECK(table.find("one.test", "/other") == nullptr);
  CHECK(table.find("www.own.test", "/other")->name == "a");
  CHECK(table.find("localhost", "*") == nullptr);
}

TEST_CASE("requests for any host are one namespace's too") {
  Cluster cluster;
  cluster.ingress("b/any", "", "/", "Prefix", "2026-01-01T00:00:00Z");
  cluster.ingress("a/any", "", "/deep", "Prefix", "2026-02-01T00:00:00Z");
  const auto table = cluster.table();
  CHECK(table.find("x", "/deep")->name == "b");
  CHECK(table.refusals ==
        std::vector<std::string>{"Ingress a/any: requests for any host belongs to namespace b"});
}

TEST_CASE("an endpoint that is no pod's address is not followed") {
  for (const auto& [address, why] :
       {std::pair{"127.0.0.1", "endpoint 127.0.0.1:5000 is a loopback address"},
        {"::ffff:127.0.0.1", "endpoint 127.0.0.1:5000 is a loopback address"},
        {"::1", "endpoint ::1:5000 is a loopback address"},
        {"169.254.169.254", "endpoint 169.254.169.254:5000 is a link-local address"},
        {"fe80::1", "endpoint fe80::1:5000 is a link-local address"},
        {"10.0.0.1", "endpoint 10.0.0.1:5000 is no pod's address"},
        {"10.0.0.0", "endpoint 10.0.0.0:5000 is no pod's address"},
        {"10.0.255.255", "endpoint 10.0.255.255:5000 is no pod's address"},
        {"10.1.0.1", "endpoint 10.1.0.1:5000 is outside the pods' range"},
        {"0.0.0.0", "endpoint 0.0.0.0:5000 is outside the pods' range"},
        {"example.org", "an endpoint is no IP address"}}) {
    CAPTURE(address);
    auto cluster = shop();
    cluster.slice("x", address).pod("a", R"({"phase":"Running"})");
    const App app = app_of(cluster);
    CHECK(app.ready.empty());
    CHECK(app.refused == why);
    CHECK(app.starting == 0);
  }
}

TEST_CASE("an address outside is followed when it is allowed, at that port alone") {
  auto cluster = shop();
  CHECK(app_of(cluster.slice("x", "192.0.2.7")).ready.size() == 1);
  cluster.slice("x", "192.0.2.7", 5001);
  CHECK(app_of(cluster).ready.empty());
}

TEST_CASE("an endpoint that is another namespace's pod is not followed") {
  auto cluster = shop();
  cluster.view.pods["other/p"] = parse(
      R"({"metadata":{"namespace":"other","name":"p"},"status":{"phase":"Running","podIP":"10.0.0.9"}})");
  for (const char* spelling : {"10.0.0.9", "::ffff:10.0.0.9", "::ffff:a00:9"}) {
    const App app = app_of(cluster.slice("x", spelling));
    CHECK(app.ready.empty());
    CHECK(app.refused == "endpoint 10.0.0.9 is a pod of another namespace");
  }
  // One that is ending serves its namespace still, until another pod has the address.
  cluster.view.pods["other/p"].edit("metadata").set("deletionTimestamp", "2026-01-01T00:00:00Z");
  CHECK(app_of(cluster).ready.empty());
  cluster.view.pods["shop/next"] = parse(
      R"({"metadata":{"namespace":"shop","name":"next"},"status":{"phase":"Running","podIP":"10.0.0.9"}})");
  CHECK(app_of(cluster).ready.size() == 1);
  cluster.view.pods.erase("shop/next");
  // An address that is free again is the next pod's.
  cluster.view.pods["other/p"].edit("status").set("phase", "Failed");
  CHECK(app_of(cluster).ready.size() == 1);
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

namespace {

// The Ingress's Service stands for a name.
Cluster named_elsewhere(const std::string& name, const std::string& ports = "") {
  Cluster cluster = shop();
  cluster.view.services["shop/web"] = parse(
      R"({"metadata":{"namespace":"shop","name":"web"},"spec":{"type":"ExternalName","externalName":")" +
      name + "\"" + ports + "}}");
  return cluster;
}

}  // namespace

TEST_CASE("a Service that names a Service of its namespace leads to its pods") {
  for (const char* name : {"back.shop.svc.cluster.local", "back.shop.svc", "Back.Shop.svc.cluster.local."}) {
    CAPTURE(name);
    Cluster cluster = named_elsewhere(name);
    cluster.view.services["shop/back"] = parse(R"({"metadata":{"namespace":"shop","name":"back"},
      "spec":{"selector":{"app":"back"},"ports":[{"name":"http","port":80}]}})");
    cluster.view.slices["shop/back-1"] = parse(
        R"({"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"back"}},
        "ports":[{"name":"http","port":5000}],"endpoints":[{"addresses":["10.0.0.9"]}]})");
    const auto app = app_of(cluster);
    REQUIRE(app.ready.size() == 1);
    CHECK(app.ready[0].key() == "10.0.0.9 5000");
    CHECK(cluster.table().external_names.empty());
  }
}

TEST_CASE("a Service that names itself, or another namespace's, leads nowhere") {
  CHECK(app_of(named_elsewhere("web.shop.svc")).ready.empty());
  Cluster cluster = named_elsewhere("web.other.svc.cluster.local");
  cluster.view.services["other/web"] = parse(
      R"({"metadata":{"namespace":"other","name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}})");
  cluster.view.slices["other/web-1"] = parse(
      R"({"metadata":{"namespace":"other","labels":{"kubernetes.io/service-name":"web"}},
      "ports":[{"port":5000}],"endpoints":[{"addresses":["10.0.0.9"]}]})");
  CHECK(app_of(cluster).ready.empty());
  CHECK(app_of(cluster).refused == "a Service of another namespace stands behind shop/web");
  CHECK(cluster.table().external_names.empty());
}

TEST_CASE("a Service that names a host outside leads to those of its addresses that are allowed") {
  Cluster cluster = named_elsewhere("a.test", R"(,"ports":[{"port":80,"targetPort":5000}])");
  CHECK(cluster.table().external_names == std::set<std::string>{"a.test"});
  CHECK(app_of(cluster).starting == 1);
  cluster.view.names["a.test"] = {"127.0.0.1", "192.0.2.7", "192.0.2.8"};
  const auto app = app_of(cluster);
  REQUIRE(app.ready.size() == 1);
  CHECK(app.ready[0].key() == "192.0.2.7 5000");
  CHECK(app.ready[0].dyno == "a.test");
  CHECK(app.starting == 0);
  cluster.view.names["a.test"] = {"127.0.0.1"};
  CHECK(app_of(cluster).ready.empty());
  CHECK_FALSE(app_of(cluster).refused.empty());
  Cluster elsewhere = named_elsewhere("a.test");  // the port is the Ingress's
  elsewhere.view.names["a.test"] = {"192.0.2.7"};
  CHECK(app_of(elsewhere).ready.empty());
}

TEST_CASE("a name that leads to a pod's address leads there within its namespace only") {
  Cluster cluster = named_elsewhere("a.test", R"(,"ports":[{"port":80,"targetPort":5000}])");
  cluster.view.names["a.test"] = {"10.0.0.9"};
  CHECK(app_of(cluster).ready.empty());
  CHECK(app_of(cluster).refused == "endpoint 10.0.0.9 is no pod's");
  const auto holder = [&](const std::string& ns, const std::string& more) {
    cluster.view.pods[ns + "/p"] = parse(R"({"metadata":{"namespace":")" + ns + R"(","name":"p")" + more +
                                         R"(},"status":{"phase":"Running","podIP":"10.0.0.9"}})");
  };
  holder("other", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")");
  CHECK(app_of(cluster).ready.empty());
  holder("shop", "");
  CHECK(app_of(cluster).ready.size() == 1);
}

TEST_CASE("thousands of paths with one backend share what is known of it") {
  auto cluster = shop();
  cluster.endpoint("a", R"({"ready":true})");
  json::Value& rule = cluster.view.ingresses.begin()->second.edit("spec").edit("rules").edit_items()[0];
  const json::Value path = rule["http"]["paths"].at(0);
  for (int i = 0; i < 1000; ++i) {
    json::Value more = path;
    more.set("path", "/" + std::to_string(i));
    rule.edit("http").edit("paths").push_back(std::move(more));
  }
  const auto table = cluster.table();
  CHECK(table.apps.size() == 2);  // and the platform
  REQUIRE(table.find("shop.test", "/999") != nullptr);
  CHECK(table.find("shop.test", "/999")->ready.size() == 1);
}

TEST_CASE("a name that no line of a log can carry is not taken for a dyno's or an app's") {
  for (const std::string& name :
       {std::string(100, 'x'), std::string("web 1"), std::string("a\"b"), std::string("a\nb")}) {
    auto cluster = shop();
    cluster.endpoint("a", R"({"ready":true})");
    cluster.pod("a", R"({"phase":"Running"})");
    cluster.view.pods["shop/a"].edit("metadata").edit("annotations").set("skiff.dev/dyno", name);
    CHECK(app_of(cluster).ready.at(0).dyno == "a");
  }
}

TEST_CASE("a namespace has its share of names outside, and no more") {
  Cluster cluster;
  const auto add = [&](const std::string& ns, size_t number) {
    const std::string host = ns + std::to_string(number) + ".test",
                      key = ns + "/web" + std::to_string(number);
    cluster.view.ingresses[ns + "/i" + std::to_string(number)] =
        parse(R"({"metadata":{"namespace":")" + ns + R"(","name":"i"},"spec":{"rules":[{"host":")" + host +
              R"(","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"web)" +
              std::to_string(number) + R"(","port":{"number":80}}}}]}}]}})");
    cluster.view.services[key] =
        parse(R"({"metadata":{"namespace":")" + ns + R"("},"spec":{"type":"ExternalName","externalName":")" +
              host + R"("}})");
  };
  constexpr size_t kBeyond = 3;
  for (size_t i = 0; i < kMaxExternalNamesOfNamespace + kBeyond; ++i) add("greedy", 100 + i);
  add("shop", 1);
  const auto table = cluster.table();
  CHECK(table.external_names.size() == kMaxExternalNamesOfNamespace + 1);
  CHECK(table.external_names.contains("shop1.test"));
  const std::string first = "greedy" + std::to_string(100 + kMaxExternalNamesOfNamespace) + ".test";
  CHECK(table.refusals == std::vector<std::string>{"namespace greedy leads to more than 16 names outside the "
                                                   "cluster: " +
                                                   first + " and further ones have no addresses"});
  const App* refused = table.find(first, "/");
  REQUIRE(refused != nullptr);
  CHECK(refused->refused == "the namespace leads to too many names outside the cluster");
  CHECK(refused->starting == 0);
  CHECK(table.find("greedy100.test", "/")->starting == 1);
}

}  // namespace skiff::edge
