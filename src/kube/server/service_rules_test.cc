// Addresses and ports that Services may not take, what a change of type leaves, and the cluster's own
// Services.
#include <doctest/doctest.h>

#include <set>

#include "kube/server/server_rig.h"
#include "kube/server/service_range.h"

namespace skiff::kube {
namespace {

const std::string kServices = "/api/v1/namespaces/default/services";

std::string service(const std::string& name, const std::string& spec) {
  return R"({"metadata":{"name":")" + name + R"("},"spec":{"ports":[{"port":80}])" + spec + "}}";
}

TestAnswer create(ServerRig& rig, const std::string& name, const std::string& spec = "") {
  return rig.ask("POST", kServices, service(name, spec));
}

TestAnswer patch(ServerRig& rig, const std::string& name, const std::string& spec) {
  return rig.ask("PATCH", kServices + "/" + name, R"({"spec":)" + spec + "}", "application/merge-patch+json");
}

ServerOptions with_address() {
  ServerOptions options = ServerRig::test_options();
  options.advertise_address = "10.42.0.1";
  options.secure_port = 30443;
  options.machine_ports = {30080};
  return options;
}

io::Task<void> ask_into(ServerRig& rig, net::Request request, std::string body, TestAnswer& answer) {
  TestBody reader;
  reader.text = std::move(body);
  TestWriter writer;
  co_await rig.api.handler()(request, reader, writer);
  auto value = json::parse(writer.response.content());
  answer = {writer.response.status, value ? *value : json::Value(), "", {}};
}

// Creates all at the same instant.
io::Task<void> create_together(ServerRig& rig, std::vector<std::string> bodies,
                               std::vector<TestAnswer>& answers) {
  io::TaskScope scope(rig.loop);
  answers.resize(bodies.size());
  for (size_t i = 0; i < bodies.size(); ++i) {
    net::Request request;
    request.method = "POST";
    request.target = kServices;
    request.headers.set("Authorization", "Bearer master");
    request.headers.set("Content-Type", "application/json");
    scope.spawn(ask_into(rig, std::move(request), bodies[i], answers[i]));
  }
  for (const auto& answer : answers) {
    while (answer.status == 0) co_await io::sleep(rig.loop, std::chrono::milliseconds(1));
  }
}

}  // namespace

TEST_CASE("addresses of the network, of broadcasts, of names and of the API are nobody's to take") {
  ServerRig rig;
  for (const char* address : {"10.96.0.0", "10.96.255.255", "10.97.0.1", "10.95.255.255"}) {
    const auto refused = create(rig, "x", R"(,"clusterIP":")" + std::string(address) + "\"");
    CHECK(refused.status == 422);
    CHECK(refused.body["message"].str() ==
          R"(Service "x" is invalid: spec.clusterIPs: Invalid value: []string{")" + std::string(address) +
              R"("}: failed to allocate IP )" + address + ": the provided IP (" + address +
              ") is not in the valid range. The range of valid IPs is 10.96.0.0/16");
  }
  for (const char* name_space : {"default", "kube-system"}) {
    for (const char* name : {"kubernetes", "kube-dns"})
      rig.ask("DELETE", "/api/v1/namespaces/" + std::string(name_space) + "/services/" + name);
  }
  for (const char* address : {"10.96.0.10", "10.96.0.1"}) {
    const auto refused = create(rig, "x", R"(,"clusterIP":")" + std::string(address) + "\"");
    CHECK(refused.status == 422);
    CHECK(refused.body["message"].str().ends_with("provided IP is already allocated"));
  }
  CHECK(create(rig, "x", R"(,"clusterIP":"10.96.0.010")").status == 422);
  CHECK(create(rig, "x", R"(,"clusterIP":"10.96.0.266")").status == 422);
  CHECK(create(rig, "x", R"(,"clusterIP":"10.96.0.11")").status == 201);
}

TEST_CASE("the list of addresses says the same as the address") {
  ServerRig rig;
  CHECK(
      create(rig, "x", R"(,"clusterIPs":["10.96.0.11"])")
          .body["message"]
          .str()
          .ends_with(
              R"(spec.clusterIPs: Invalid value: []string{"10.96.0.11"}: must be empty when `clusterIP` is not specified)"));
  CHECK(
      create(rig, "x", R"(,"clusterIP":"10.96.0.11","clusterIPs":["10.96.0.10"])")
          .body["message"]
          .str()
          .ends_with(
              R"(spec.clusterIPs: Invalid value: []string{"10.96.0.10"}: first value must match `clusterIP`)"));
}

TEST_CASE("a small range gives each of its addresses once") {
  ServerOptions options = ServerRig::test_options();
  options.service_range = "10.96.0.0/26";
  ServerRig rig(options);
  std::set<std::string> seen;
  for (int i = 0; i < 47; ++i) {
    const auto made = create(rig, "s" + std::to_string(i));
    REQUIRE(made.status == 201);
    CHECK(seen.insert(made.body["spec"]["clusterIP"].str()).second);
  }
  CHECK(seen.contains("10.96.0.16"));
  CHECK(seen.contains("10.96.0.62"));
  CHECK(create(rig, "more").status == 500);
}

TEST_CASE("Services that are made at the same instant get addresses and ports of their own") {
  ServerOptions options = ServerRig::test_options();
  options.service_range = "10.96.0.0/26";
  ServerRig rig(options);
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i) bodies.push_back(service("s" + std::to_string(i), R"(,"type":"NodePort")"));
  std::vector<TestAnswer> answers;
  rig.run(create_together(rig, bodies, answers));
  std::set<std::string> addresses;
  std::set<int64_t> ports;
  for (const auto& answer : answers) {
    REQUIRE(answer.status == 201);
    addresses.insert(answer.body["spec"]["clusterIP"].str());
    ports.insert(answer.body["spec"]["ports"].at(0)["nodePort"].as_int());
  }
  CHECK(addresses.size() == bodies.size());
  CHECK(ports.size() == bodies.size());
  answers.clear();
  rig.run(create_together(
      rig, {service("a", R"(,"clusterIP":"10.96.0.11")"), service("b", R"(,"clusterIP":"10.96.0.11")")},
      answers));
  CHECK(answers[0].status + answers[1].status == 201 + 422);
  CHECK(create(rig, "c", R"(,"clusterIP":"10.96.0.12")").status == 201);
}

TEST_CASE("ports of the machine's own listeners are no node ports") {
  ServerRig rig(with_address());
  for (const char* port : {"30443", "30080"}) {
    const auto refused =
        rig.ask("POST", kServices,
                R"({"metadata":{"name":"n"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":)" +
                    std::string(port) + "}]}}");
    CHECK(refused.status == 422);
    CHECK(refused.body["message"].str().ends_with("provided port is already allocated"));
  }
}

TEST_CASE("external addresses are none of the machine's or of everybody's") {
  ServerRig rig;
  for (const char* address : {"127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "x"})
    CHECK(create(rig, "x", R"(,"externalIPs":[")" + std::string(address) + "\"]").status == 422);
  CHECK(create(rig, "x", R"(,"externalIPs":["192.0.2.7"])").status == 201);
}

TEST_CASE("a change of type takes along what only the former type has") {
  ServerRig rig;
  create(rig, "s",
         R"(,"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":31000,)"
         R"("loadBalancerClass":"example.com/lb")");
  const auto outer = patch(rig, "s", R"({"type":"ClusterIP"})");
  REQUIRE(outer.status == 200);
  for (const char* field : {"externalTrafficPolicy", "healthCheckNodePort", "loadBalancerClass",
                            "allocateLoadBalancerNodePorts"}) {
    CAPTURE(field);
    CHECK_FALSE(outer.body["spec"].contains(field));
  }
  CHECK_FALSE(outer.body["spec"]["ports"].at(0).contains("nodePort"));
  CHECK(outer.body["spec"]["clusterIP"].str().starts_with("10.96."));
  const auto named = patch(rig, "s", R"({"type":"ExternalName","externalName":"example.com"})");
  REQUIRE(named.status == 200);
  for (const char* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    CAPTURE(field);
    CHECK_FALSE(named.body["spec"].contains(field));
  }
  const auto back = patch(rig, "s", R"({"type":"NodePort"})");
  REQUIRE(back.status == 200);
  CHECK_FALSE(back.body["spec"].contains("externalName"));
  CHECK(back.body["spec"]["clusterIP"].str().starts_with("10.96."));
  CHECK(back.body["spec"]["clusterIPs"].at(0) == back.body["spec"]["clusterIP"]);
  CHECK(back.body["spec"]["ports"].at(0)["nodePort"].as_int() >= 30000);
}

TEST_CASE("what a type can't have is refused when it is given") {
  ServerRig rig;
  CHECK(create(rig, "x", R"(,"type":"ExternalName","externalName":"a.b","clusterIP":"10.96.0.11")")
            .body["message"]
            .str()
            .find("spec.clusterIPs: Forbidden: may not be set for ExternalName services") !=
        std::string::npos);
  CHECK(create(rig, "x", R"(,"type":"NodePort","clusterIP":"None")")
            .body["message"]
            .str()
            .find("may not be set to 'None' for NodePort services") != std::string::npos);
  create(rig, "s");
  CHECK(patch(rig, "s", R"({"type":"ExternalName","externalName":"a.b","clusterIP":"10.96.0.11"})").status ==
        422);
}

TEST_CASE("default/kubernetes leads to this server, kube-dns to the name server, also after a deletion") {
  ServerRig rig(with_address());
  const auto check = [&] {
    const auto api = rig.ask("GET", "/api/v1/namespaces/default/endpoints/kubernetes");
    REQUIRE(api.status == 200);
    const auto& subset = api.body["subsets"].at(0);
    CHECK(subset["addresses"].at(0)["ip"].str() == "10.42.0.1");
    CHECK(subset["ports"].at(0)["name"].str() == "https");
    CHECK(subset["ports"].at(0)["port"].as_int() == 30443);
    const auto slice =
        rig.ask("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
    REQUIRE(slice.status == 200);
    CHECK(slice.body["metadata"]["labels"]["kubernetes.io/service-name"].str() == "kubernetes");
    CHECK(slice.body["endpoints"].at(0)["addresses"].at(0).str() == "10.42.0.1");
    const auto dns = rig.ask("GET", "/api/v1/namespaces/kube-system/services/kube-dns");
    REQUIRE(dns.status == 200);
    CHECK(dns.body["spec"]["clusterIP"].str() == "10.96.0.10");
    CHECK(dns.body["spec"]["ports"].size() == 2);
    CHECK_FALSE(dns.body["spec"].contains("selector"));
    CHECK(rig.ask("GET", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns").status ==
          200);
  };
  const auto keep = [](ServerRig& server) -> io::Task<void> {
    auto kept = co_await server.api.keep_own_services();
    CHECK(kept.has_value());
  };
  check();
  rig.ask("DELETE", "/api/v1/namespaces/default/endpoints/kubernetes");
  rig.ask("DELETE", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
  rig.ask("PATCH", "/api/v1/namespaces/kube-system/services/kube-dns", R"({"spec":{"selector":{"a":"b"}}})",
          "application/merge-patch+json");
  rig.run(keep(rig));
  check();
  const auto revision = store::number(rig.store->current());
  rig.run(keep(rig));
  CHECK(store::number(rig.store->current()) == revision);
}

}  // namespace skiff::kube
