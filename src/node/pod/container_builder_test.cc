#include "node/pod/container_builder.h"

#include <doctest/doctest.h>

#include "node/pod/exec_budget.h"
#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;

namespace {

using Env = std::vector<std::pair<std::string, std::string>>;

Result<ContainerConfig> build(const json::Value& container, const Env& env, const Image& image = {},
                              const json::Value& pod = json::Value::object(),
                              std::map<std::string, std::string> volumes = {}) {
  static const NodeIdentity kNode{"node1", "10.0.0.1", 2000, 1 << 30, 1 << 20};
  const ContainerDef def{"c", Role::kApp, container};
  const PodIdentity identity{pod, "10.1.0.2", kNode};
  return build_container(
      {pod, def, image, identity, env, std::move(volumes), {}, "/pod", "host", [](const std::string&) {
         return std::nullopt;
       }});
}

json::Value repeated(const json::Value& item, int count) {
  json::Value out = json::Value::array();
  for (int i = 0; i < count; ++i) out.push_back(item);
  return out;
}

}  // namespace

TEST_CASE("the pod's variables replace those of the image, and a path is always there") {
  Image image;
  image.config.env = {"A=image", "B=image"};
  const auto config =
      build(*json::parse(R"~({"command":["x","$(A)","$(B)"]})~"), {{"A", "own"}, {"C", "3"}}, image);
  REQUIRE(config.has_value());
  CHECK(config->env ==
        std::vector<std::string>{"A=own", "B=image",
                                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                 "HOSTNAME=host", "C=3"});
  CHECK(config->args == std::vector<std::string>{"x", "own", "$(B)"});
}

TEST_CASE("arguments end at what a program can be given") {
  const Env env{{"A", std::string(100'000, 'a')}};
  const auto many = build(json::Value::object({{"command", repeated("$(A)", 2000)}}), env);
  REQUIRE(!many.has_value());
  CHECK(many.error().code == Code::kInvalidArgument);
  CHECK(many.error().message.starts_with("environment and arguments come to more than 2097152 bytes"));
  const auto one = build(*json::parse(R"~({"command":["x","$(A)$(A)"]})~"), env);
  REQUIRE(!one.has_value());
  CHECK(one.error().message.starts_with("argument 2 is longer than 131071 bytes"));
  CHECK(build(*json::parse(R"~({"command":["x","$(A)"]})~"), env).has_value());
}

TEST_CASE("an environment and mounts cost what they are many") {
  const auto variables = [](const std::string& text) {
    Env env;
    for (const auto& item : json::parse(text)->items()) env.emplace_back(item.str(), "v");
    Image image;
    image.config.env = {"A=1"};
    static_cast<void>(build(*json::parse(R"({"command":["x"]})"), env, image));
  };
  CHECK(testing::growth({"[", R"("K#",)", R"("Z"])"}, testing::kSmallInput, testing::kLargeInput, variables) <
        testing::kMostGrowth);
  const auto mounts = [](const std::string& text) {
    json::Value pod = json::Value::object(), container = *json::parse(R"({"command":["x"]})");
    json::Value named = *json::parse(text);
    std::map<std::string, std::string> volumes;
    for (const auto& volume : named.items()) volumes[volume["name"].str()] = "/v";
    pod.edit("spec").set("volumes", named);
    container.set("volumeMounts", std::move(named));
    static_cast<void>(build(container, {}, {}, pod, std::move(volumes)));
  };
  CHECK(testing::growth({"[", R"({"name":"v#","emptyDir":{},"mountPath":"/#"},)", R"({"name":"z"}])"},
                        testing::kSmallInput, testing::kLargeInput, mounts) < testing::kMostGrowth);
  const auto groups = [](const std::string& text) {
    json::Value pod = json::Value::object();
    pod.edit("spec").edit("securityContext").set("supplementalGroups", *json::parse(text));
    static_cast<void>(build(*json::parse(R"({"command":["x"]})"), {}, {}, pod));
  };
  CHECK(testing::growth({"[", "#,", "1]"}, testing::kSmallInput, testing::kLargeInput, groups) <
        testing::kMostGrowth);
}
