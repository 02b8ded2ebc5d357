#include "node/pod/env.h"

#include <doctest/doctest.h>

#include "node/pod/quantity.h"

using namespace skiff;
using namespace skiff::node;

namespace {
const NodeIdentity kNode{"node1", "10.0.0.1", 2000, 1 << 30, 1 << 20};

json::Value parse(const char* text) {
  return *json::parse(text);
}

std::map<std::string, std::string> resolve(const char* container, ConfigObjects objects = {},
                                           EnvMap services = {}) {
  const auto pod = parse(R"({"metadata":{"name":"p","namespace":"n","uid":"u","labels":{"app":"x"}},
    "spec":{"initContainers":[{"name":"i","resources":{"limits":{"memory":"7"}}}]}})");
  const PodIdentity identity{pod, "10.1.0.2", kNode};
  const auto spec = parse(container);
  auto env = resolve_env({identity, spec, objects, services});
  REQUIRE(env.has_value());
  return {env->begin(), env->end()};
}
}  // namespace

TEST_CASE("a value expands variables declared before it, and no others") {
  const auto env = resolve(R"~({"env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)-$(C)-$$(A)"},
                                      {"name":"C","value":"3"}]})~");
  CHECK(env.at("B") == "1-$(C)-$(A)");
}

TEST_CASE("envFrom comes before env, which overrides it") {
  ConfigObjects objects;
  objects.config_maps["c"] = parse(R"({"data":{"A":"map","B":"map"}})");
  objects.secrets["s"] = parse(R"({"data":{"PASS":"c2VjcmV0"}})");
  const auto env =
      resolve(R"({"envFrom":[{"configMapRef":{"name":"c"}},{"secretRef":{"name":"s"},"prefix":"S_"}],
                               "env":[{"name":"A","value":"own"}]})",
              objects);
  CHECK(env.at("A") == "own");
  CHECK(env.at("B") == "map");
  CHECK(env.at("S_PASS") == "secret");
}

TEST_CASE("a missing key is named, a missing optional one is skipped") {
  const auto pod = parse(R"({"metadata":{"namespace":"n"}})");
  const PodIdentity identity{pod, "", kNode};
  ConfigObjects objects;
  const auto missing =
      parse(R"({"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"nope","key":"k"}}}]})");
  CHECK(resolve_env({identity, missing, objects, {}}).error().message == "configmap \"nope\" not found");
  objects.secrets["s"] = parse(R"({"data":{}})");
  const auto key = parse(R"({"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]})");
  CHECK(resolve_env({identity, key, objects, {}}).error().message == "couldn't find key k in Secret n/s");
  CHECK(
      resolve(
          R"({"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"x","key":"k","optional":true}}}]})")
          .empty());
}

TEST_CASE("a subPathExpr becomes a subPath, and unknown or empty variables in it are named") {
  const EnvMap values{{"POD", "web-1"}, {"EMPTY", ""}};
  auto container = parse(R"~({"volumeMounts":[{"name":"v","subPathExpr":"logs/$(POD)/$$(POD)"},
                                               {"name":"v","subPath":"$(POD)"},{"name":"v"}]})~");
  REQUIRE(expand_sub_paths(container, values));
  CHECK(container["volumeMounts"].at(0)["subPath"].str() == "logs/web-1/$(POD)");
  CHECK(container["volumeMounts"].at(1)["subPath"].str() == "$(POD)");
  CHECK(container["volumeMounts"].at(2)["subPath"].is_null());
  auto unknown = parse(R"~({"volumeMounts":[{"name":"v","subPathExpr":"$(NOPE)/$(EMPTY)/$(POD)"}]})~");
  CHECK(expand_sub_paths(unknown, values).error().message ==
        "subPathExpr $(NOPE)/$(EMPTY)/$(POD): missing value for EMPTY, NOPE");
}

TEST_CASE("the downward API tells names, addresses and resources") {
  const auto env = resolve(R"({"resources":{"limits":{"cpu":"1500m"}},"env":[
    {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
    {"name":"APP","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
    {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
    {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}}]})");
  CHECK(env.at("IP") == "10.1.0.2");
  CHECK(env.at("APP") == "x");
  CHECK(env.at("CPU") == "2");
  CHECK(env.at("MEM") == "1024");
}

TEST_CASE("a limit that is not set is what the node has, also of an init container named in the pod") {
  const auto env = resolve(R"({"resources":{"limits":{"cpu":"0"}},"env":[
    {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}},
    {"name":"DISK","valueFrom":{"resourceFieldRef":{"resource":"limits.ephemeral-storage"}}},
    {"name":"ASKED","valueFrom":{"resourceFieldRef":{"resource":"requests.memory"}}},
    {"name":"OTHER","valueFrom":{"resourceFieldRef":{"containerName":"i","resource":"limits.memory"}}}]})");
  CHECK(env.at("CPU") == "2000");
  CHECK(env.at("DISK") == std::to_string(1 << 20));
  CHECK(env.at("ASKED") == "0");
  CHECK(env.at("OTHER") == "7");
}

TEST_CASE("services appear with host, port and protocol") {
  const auto env = service_env({parse(
      R"({"metadata":{"name":"my-db"},"spec":{"clusterIP":"10.43.0.9","ports":[{"name":"sql","port":5432,"protocol":"TCP"}]}})")});
  CHECK(env.at("MY_DB_SERVICE_HOST") == "10.43.0.9");
  CHECK(env.at("MY_DB_SERVICE_PORT_SQL") == "5432");
  CHECK(env.at("MY_DB_PORT_5432_TCP") == "tcp://10.43.0.9:5432");
}

TEST_CASE("a pod sees the API server always, and the Services of its own namespace if it wants") {
  const auto service = [](const char* ip) {
    return parse((R"({"spec":{"clusterIP":")" + std::string(ip) + R"(","ports":[{"port":443}]}})").c_str());
  };
  std::map<std::string, json::Value> services;
  for (const auto& [name_space, name, ip] : {std::tuple{"default", "kubernetes", "10.43.0.1"},
                                             {"n", "own", "10.43.0.2"},
                                             {"other", "away", "10.43.0.3"},
                                             {"default", "web", "10.43.0.4"},
                                             {"n", "headless", "None"}}) {
    auto one = service(ip);
    one.set("metadata", json::Value::object({{"namespace", name_space}, {"name", name}}));
    services[std::string(name_space) + "/" + name] = one;
  }
  const auto linked = visible_service_env(services, "n", Links::kOwnNamespace);
  CHECK(linked.at("KUBERNETES_SERVICE_HOST") == "10.43.0.1");
  CHECK(linked.at("OWN_SERVICE_HOST") == "10.43.0.2");
  CHECK(linked.size() == 14);  // seven a Service
  const auto bare = visible_service_env(services, "n", Links::kNone);
  CHECK(bare.at("KUBERNETES_SERVICE_PORT") == "443");
  CHECK(bare.size() == 7);
  CHECK(visible_service_env(services, "empty", Links::kOwnNamespace) == bare);
  services.erase("n/own");
  CHECK(visible_service_env(services, "n", Links::kOwnNamespace) == bare);
  auto mine = service("10.43.0.9");
  mine.set("metadata", parse(R"({"namespace":"n","name":"kubernetes"})"));
  services["n/kubernetes"] = mine;
  CHECK(visible_service_env(services, "n", Links::kOwnNamespace).at("KUBERNETES_SERVICE_HOST") ==
        "10.43.0.9");
  CHECK(visible_service_env(services, "n", Links::kNone).at("KUBERNETES_SERVICE_HOST") == "10.43.0.1");
}

TEST_CASE("quantities round up") {
  CHECK(parse_milli("100m") == 100);
  CHECK(parse_milli("0.1") == 100);
  CHECK(parse_milli(2) == 2000);
  CHECK(parse_units("64Mi") == 64 << 20);
  CHECK(parse_units("1e3") == 1000);
  CHECK(parse_units("100m") == 1);
  CHECK(!parse_units("5 apples"));
}
