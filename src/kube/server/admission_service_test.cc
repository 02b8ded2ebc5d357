// Ports of the nodes that Services get: given, found, kept, given back.
#include <doctest/doctest.h>

#include <set>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

constexpr const char* kServices = "/api/v1/namespaces/default/services";

class Ports {
 public:
  // `ports` is the text of the list.
  TestAnswer create(const std::string& name, const std::string& type, const std::string& ports,
                    const std::string& more = "") {
    return rig.ask("POST", kServices,
                   R"({"metadata":{"name":")" + name + R"("},"spec":{"type":")" + type + R"(","ports":)" +
                       ports + more + "}}");
  }
  TestAnswer patch(const std::string& name, const std::string& spec) {
    return rig.ask("PATCH", kServices + ("/" + name), R"({"spec":)" + spec + "}",
                   "application/merge-patch+json");
  }
  static int64_t port(const TestAnswer& answer, size_t index = 0) {
    return answer.body["spec"]["ports"].at(index)["nodePort"].as_int();
  }
  ServerRig rig;
};

}  // namespace

TEST_CASE("every port of a NodePort or LoadBalancer Service gets a node port of its own") {
  Ports ports;
  std::set<int64_t> seen;
  for (const char* type : {"NodePort", "LoadBalancer"}) {
    const auto made = ports.create(type == std::string("NodePort") ? "a" : "b", type,
                                   R"([{"name":"x","port":80},{"name":"y","port":81}])");
    REQUIRE(made.status == 201);
    for (size_t i : {0, 1}) {
      CHECK(Ports::port(made, i) >= 30000);
      CHECK(Ports::port(made, i) <= 32767);
      seen.insert(Ports::port(made, i));
    }
  }
  CHECK(seen.size() == 4);
  CHECK(Ports::port(ports.create("c", "ClusterIP", R"([{"port":80}])")) == 0);
  CHECK(Ports::port(ports.create("d", "LoadBalancer", R"([{"port":80}])",
                                 R"(,"allocateLoadBalancerNodePorts":false)")) == 0);
}

TEST_CASE("one port number for two protocols gets one node port") {
  Ports ports;
  const auto made = ports.create(
      "dns", "NodePort",
      R"([{"name":"u","port":53,"protocol":"UDP"},{"name":"t","port":53,"protocol":"TCP","nodePort":30053}])");
  REQUIRE(made.status == 201);
  CHECK(Ports::port(made, 0) == 30053);
  CHECK(Ports::port(made, 1) == 30053);
}

TEST_CASE("a node port that is given is kept, and refused when another Service has it") {
  Ports ports;
  CHECK(Ports::port(ports.create("a", "NodePort", R"([{"port":80,"nodePort":30080}])")) == 30080);
  const auto refused = ports.create("b", "LoadBalancer", R"([{"port":80,"nodePort":30080}])");
  CHECK(refused.status == 422);
  CHECK(
      refused.body["message"].str() ==
      R"(Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated)");
  CHECK(
      ports.create("c", "NodePort", R"([{"port":80,"nodePort":80}])").body["message"].str() ==
      R"(Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767)");
  ports.create("b", "NodePort", R"([{"port":80,"nodePort":30081}])");
  CHECK(ports.patch("b", R"({"ports":[{"port":80,"nodePort":30080}]})").status == 422);
  CHECK(Ports::port(ports.patch("b", R"({"ports":[{"port":80,"nodePort":30082}]})")) == 30082);
}

TEST_CASE("a change that names no node port keeps the one there is") {
  Ports ports;
  const auto made = ports.create("a", "NodePort", R"([{"name":"x","port":80}])");
  const auto changed = ports.patch("a", R"({"ports":[{"name":"x","port":81},{"name":"y","port":82}]})");
  CHECK(Ports::port(changed, 0) == Ports::port(made));
  CHECK(Ports::port(changed, 1) >= 30000);
  CHECK(Ports::port(changed, 1) != Ports::port(made));
  CHECK(Ports::port(ports.patch("a", R"({"type":"LoadBalancer"})")) == Ports::port(made));
}

TEST_CASE("a node port is free again when its Service goes or needs none any more") {
  Ports ports;
  REQUIRE(ports.create("a", "NodePort", R"([{"port":80,"nodePort":30080}])").status == 201);
  const auto plain = ports.patch("a", R"({"type":"ClusterIP"})");
  REQUIRE(plain.status == 200);
  CHECK(plain.body["spec"]["ports"].at(0)["nodePort"].is_null());
  CHECK(plain.body["spec"]["externalTrafficPolicy"].is_null());
  REQUIRE(ports.create("b", "NodePort", R"([{"port":80,"nodePort":30080}])").status == 201);
  ports.rig.ask("DELETE", kServices + std::string("/b"));
  CHECK(ports.create("c", "NodePort", R"([{"port":80,"nodePort":30080}])").status == 201);
  CHECK(Ports::port(ports.patch("a", R"({"type":"NodePort"})")) >= 30000);
}

TEST_CASE("when all node ports are taken, that is said") {
  Ports ports;
  std::string list = "[";
  for (int port = 30000; port <= 32767; ++port) {
    const auto number = std::to_string(port);
    list += (list.size() > 1 ? "," : "") + (R"({"name":"p)" + number + R"(","port":)" + number + "}");
  }
  REQUIRE(ports.create("all", "NodePort", list + "]").status == 201);
  const auto refused = ports.create("b", "NodePort", R"([{"port":80}])");
  CHECK(refused.status == 500);
  CHECK(refused.body["message"].str() ==
        "Internal error occurred: failed to allocate a nodePort: range is full");
}

}  // namespace skiff::kube
