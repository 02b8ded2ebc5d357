// What tokens of service accounts are bound to, and what is answered to a request for one.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"
#include "net/certificates.h"

namespace skiff::kube {
namespace {

const std::string kAccounts = "/api/v1/namespaces/default/serviceaccounts";

ServerOptions with_keys() {
  ServerOptions options = ServerRig::test_options();
  auto keys = net::make_authority("signer", WallTime(std::chrono::hours(24 * 365 * 50)));
  REQUIRE(keys.has_value());
  options.service_account_keys = *keys;
  return options;
}

// A server with the account "robot".
struct Rig : ServerRig {
  Rig() : ServerRig(with_keys()) { ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})"); }
  TestAnswer request(const std::string& body) { return ask("POST", kAccounts + "/robot/token", body); }
  bool proves(const std::string& token) {
    return ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", "application/json", token)
               .status == 201;
  }
};

std::string bound(const std::string& version, const std::string& kind) {
  return R"({"spec":{"boundObjectRef":{"apiVersion":")" + version + R"(","kind":")" + kind +
         R"(","name":"b"}}})";
}

TEST_CASE("a token ends with the Secret or Node that it is bound to") {
  const std::pair<std::string, std::string> kinds[] = {{"Secret", "/api/v1/namespaces/default/secrets"},
                                                       {"Node", "/api/v1/nodes"}};
  for (const auto& [kind, path] : kinds) {
    CAPTURE(kind);
    Rig rig;
    CHECK(rig.request(bound("v1", kind)).status == 404);
    REQUIRE(rig.ask("POST", path, R"({"metadata":{"name":"b"}})").status == 201);
    const std::string token = rig.request(bound("v1", kind)).body["status"]["token"].str();
    CHECK(rig.proves(token));
    REQUIRE(rig.ask("DELETE", path + "/b").status == 200);
    CHECK_FALSE(rig.proves(token));
    REQUIRE(rig.ask("POST", path, R"({"metadata":{"name":"b"}})").status == 201);
    CHECK_FALSE(rig.proves(token));
  }
}

TEST_CASE("a token is bound to no other kind, and a request for another account is refused") {
  Rig rig;
  const auto said = [&](const std::string& body) {
    const auto answer = rig.request(body);
    return std::to_string(answer.status) + " " + answer.body["message"].str();
  };
  CHECK(said(bound("v1", "ConfigMap")) == "400 cannot bind token to object of type /v1, Kind=ConfigMap");
  CHECK(said(bound("apps/v1", "Pod")) == "400 cannot bind token to object of type apps/v1, Kind=Pod");
  CHECK(said(R"({"metadata":{"name":"other"}})") ==
        "422 TokenRequest.authentication.k8s.io \"robot\" is invalid: metadata.name: Invalid value: "
        "\"other\": must match the service account name if specified");
  CHECK(said(R"({"metadata":{"namespace":"other"}})").starts_with("400 the namespace of the provided"));
}

TEST_CASE("the answer to a request for a token says what was left open") {
  Rig rig;
  const auto body = rig.request("{}").body;
  CHECK(body["metadata"]["name"].str() == "robot");
  CHECK(body["metadata"]["namespace"].str() == "default");
  CHECK(body["spec"]["audiences"].size() == 1);
  CHECK(body["spec"]["expirationSeconds"].as_int() == 3600);
}

}  // namespace
}  // namespace skiff::kube
