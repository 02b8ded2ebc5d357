#include "node/pod/env.h"

#include <doctest/doctest.h>

#include "node/pod/exec_budget.h"
#include "node/pod/quantity.h"
#include "testing/cost.h"

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
  const auto visible = [&services](const char* name_space, Links links) {
    return service_env(visible_services(services, name_space, links));
  };
  const auto linked = visible("n", Links::kOwnNamespace);
  CHECK(linked.at("KUBERNETES_SERVICE_HOST") == "10.43.0.1");
  CHECK(linked.at("OWN_SERVICE_HOST") == "10.43.0.2");
  CHECK(linked.size() == 14);  // seven a Service
  const auto bare = visible("n", Links::kNone);
  CHECK(bare.at("KUBERNETES_SERVICE_PORT") == "443");
  CHECK(bare.size() == 7);
  CHECK(visible("empty", Links::kOwnNamespace) == bare);
  services.erase("n/own");
  CHECK(visible("n", Links::kOwnNamespace) == bare);
  auto mine = service("10.43.0.9");
  mine.set("metadata", parse(R"({"namespace":"n","name":"kubernetes"})"));
  services["n/kubernetes"] = mine;
  CHECK(visible("n", Links::kOwnNamespace).at("KUBERNETES_SERVICE_HOST") == "10.43.0.9");
  CHECK(visible("n", Links::kNone).at("KUBERNETES_SERVICE_HOST") == "10.43.0.1");
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

namespace {
Result<std::vector<std::pair<std::string, std::string>>> try_resolve(const json::Value& container,
                                                                     const ConfigObjects& objects = {},
                                                                     const EnvMap& services = {}) {
  static const json::Value kPod = parse(R"({"metadata":{"name":"p","namespace":"n"}})");
  return resolve_env({{kPod, "", kNode}, container, objects, services});
}
}  // namespace

TEST_CASE("variables that double each other end at what a program can be given") {
  std::string text = R"({"env":[{"name":"A0","value":"0123456789"})";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "$(A" + std::to_string(i - 1) + ")";
    text += R"(,{"name":"A)" + std::to_string(i) + R"(","value":")" + before + before + R"("})";
  }
  const auto env = try_resolve(parse((text + "]}").c_str()));
  REQUIRE(!env.has_value());
  CHECK(env.error().code == Code::kInvalidArgument);
  CHECK(
      env.error().message ==
      "environment variable A14 is longer than 131071 bytes, the most that a program can be given; give the "
      "program a file of a volume instead");
}

TEST_CASE("what many sources come to is refused, and read no further") {
  ConfigObjects objects;
  objects.config_maps["c"] =
      json::Value::object({{"data", json::Value::object({{"K", std::string(100'000, 'x')}})}});
  json::Value sources = json::Value::array();
  for (int i = 0; i < 10'000; ++i) {
    sources.push_back(json::Value::object(
        {{"configMapRef", json::Value::object({{"name", "c"}})}, {"prefix", i % 2 ? "A" : "B"}}));
  }
  const auto env = try_resolve(json::Value::object({{"envFrom", sources}}), objects);
  REQUIRE(!env.has_value());
  CHECK(env.error().message.starts_with("environment and arguments come to more than 2097152 bytes"));
}

TEST_CASE("an environment costs what its names are many") {
  const auto from_map = [](const std::string& text) {
    ConfigObjects objects;
    objects.config_maps["c"] = *json::parse(text);
    static const json::Value kContainer = parse(R"({"envFrom":[{"configMapRef":{"name":"c"}}]})");
    static_cast<void>(try_resolve(kContainer, objects));
  };
  CHECK(testing::growth({R"({"data":{)", R"("K#":"v",)", R"("z":"v"}})"}, testing::kSmallInput,
                        testing::kLargeInput, from_map) < testing::kMostGrowth);
  const auto own = [](const std::string& text) { static_cast<void>(try_resolve(*json::parse(text))); };
  const testing::Shape shapes[] = {
      {R"({"env":[)", R"({"name":"A#"},)", R"({"name":"Z"}]})"},
      {R"({"env":[)", R"({"name":"A","value":"$(A)b"},)", R"({"name":"Z"}]})"},
      {R"({"env":[{"name":"A","value":")", "$(", R"("}]})"},
      {R"({"env":[{"name":"A","value":")", "$()", R"("}]})"},
  };
  for (const auto& shape : shapes) {
    CAPTURE(shape.unit);
    CHECK(testing::growth(shape, testing::kSmallInput, testing::kLargeInput, own) < testing::kMostGrowth);
  }
  const auto services = [](const std::string& text) {
    EnvMap env = service_env({*json::parse(text)});
    static_cast<void>(try_resolve(json::Value::object(), {}, env));
  };
  CHECK(testing::growth({R"({"metadata":{"name":"s"},"spec":{"clusterIP":"10.43.0.9","ports":[)",
                         R"({"port":#},)", R"({"port":1}]}})"},
                        testing::kSmallInput, testing::kLargeInput, services) < testing::kMostGrowth);
}

TEST_CASE("a subPathExpr that becomes too long for a path is refused") {
  const EnvMap values{{"A", std::string(1000, 'a')}};
  auto container = parse(R"~({"volumeMounts":[{"name":"v","subPathExpr":"$(A)$(A)$(A)$(A)$(A)"}]})~");
  CHECK(expand_sub_paths(container, values).error().message ==
        "subPathExpr $(A)$(A)$(A)$(A)$(A): longer than 4096 bytes, the most that a path can be");
}
