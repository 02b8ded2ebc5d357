// Who callers are: certificates, static tokens, tokens of service accounts, and the reviews that tell.
#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/server/server_rig.h"
#include "net/certificates.h"

namespace skiff::kube {
namespace {

const std::string kAccounts = "/api/v1/namespaces/default/serviceaccounts";
const std::string kReviews = "/apis/authentication.k8s.io/v1/";

ServerOptions with_keys() {
  ServerOptions options = ServerRig::test_options();
  auto keys = net::make_authority("signer", WallTime(std::chrono::hours(24 * 365 * 50)));
  REQUIRE(keys.has_value());
  options.service_account_keys = *keys;
  return options;
}

// Who the server takes the request for.
json::Value who_is(ServerRig& rig, net::Request request) {
  request.method = "POST";
  request.target = kReviews + "selfsubjectreviews";
  request.headers.set("Content-Type", "application/json");
  const auto answer = rig.ask(request, "{}");
  return answer.status == 201 ? answer.body["status"]["userInfo"] : json::Value(answer.status);
}

json::Value who_has(ServerRig& rig, const std::string& token) {
  net::Request request;
  request.headers.set("Authorization", "Bearer " + token);
  return who_is(rig, std::move(request));
}

std::string token_of(ServerRig& rig, const std::string& spec = "{}") {
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  const auto answer = rig.ask("POST", kAccounts + "/robot/token", R"({"spec":)" + spec + "}");
  REQUIRE(answer.status == 201);
  return answer.body["status"]["token"].str();
}

TEST_CASE("a client certificate names its user and groups") {
  ServerRig rig;
  net::Request request;
  request.peer.tls = true;
  request.peer.certificate_name = "ann";
  request.peer.certificate_groups = {"devs"};
  CHECK(json::encode(who_is(rig, request)) ==
        R"({"username":"ann","groups":["devs","system:authenticated"]})");
}

TEST_CASE("a token counts before the certificate, and a wrong one is no anonymous caller") {
  ServerRig rig;
  net::Request request;
  request.peer.certificate_name = "ann";
  request.headers.set("Authorization", "Bearer jane");
  CHECK(who_is(rig, request)["username"].str() == "jane");
  request.headers.set("Authorization", "Bearer wrong");
  CHECK(who_is(rig, request).as_int() == 401);
  request.headers.set("Authorization", "Basic YTpi");
  CHECK(who_is(rig, request).as_int() == 401);
}

TEST_CASE("a service account's token names the account and its groups") {
  ServerRig rig(with_keys());
  const auto user = who_has(rig, token_of(rig));
  CHECK(user["username"].str() == "system:serviceaccount:default:robot");
  CHECK(json::encode(user["groups"]) ==
        R"(["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"])");
  CHECK_FALSE(user["uid"].str().empty());
}

TEST_CASE("a service account's token ends with its time") {
  ServerRig rig(with_keys());
  const std::string token = token_of(rig, R"({"expirationSeconds":600})");
  rig.loop.advance(std::chrono::seconds(590));
  CHECK(who_has(rig, token).is_object());
  rig.loop.advance(std::chrono::seconds(11));
  CHECK(who_has(rig, token).as_int() == 401);
}

TEST_CASE("a service account's token ends with the account, also when a new one has its name") {
  ServerRig rig(with_keys());
  const std::string token = token_of(rig);
  rig.ask("DELETE", kAccounts + "/robot");
  CHECK(who_has(rig, token).as_int() == 401);
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  CHECK(who_has(rig, token).as_int() == 401);
}

TEST_CASE("a token for others, a changed one and one of another signer prove nobody") {
  ServerRig rig(with_keys()), other(with_keys());
  CHECK(who_has(rig, token_of(rig, R"({"audiences":["vault"]})")).as_int() == 401);
  CHECK(who_has(rig, token_of(other)).as_int() == 401);
  std::string changed = token_of(rig);
  changed[changed.find('.') + 5] ^= 1;
  CHECK(who_has(rig, changed).as_int() == 401);
  CHECK(who_has(rig, "a.b.c").as_int() == 401);
}

TEST_CASE("a server without keys issues no tokens") {
  ServerRig rig;
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  CHECK(rig.ask("POST", kAccounts + "/robot/token", "{}").status == 503);
  CHECK(rig.ask("POST", kAccounts + "/nobody/token", "{}").status == 404);
}

TEST_CASE("a token review tells whose a token is") {
  ServerRig rig(with_keys());
  const auto good =
      rig.ask("POST", kReviews + "tokenreviews", R"({"spec":{"token":")" + token_of(rig) + "\"}}");
  CHECK(good.status == 201);
  CHECK(good.body["status"]["authenticated"].as_bool());
  CHECK(good.body["status"]["user"]["username"].str() == "system:serviceaccount:default:robot");
  const auto bad = rig.ask("POST", kReviews + "tokenreviews", R"({"spec":{"token":"wrong"}})");
  CHECK_FALSE(bad.body["status"]["authenticated"].as_bool());
  CHECK_FALSE(bad.body["status"]["error"].str().empty());
  CHECK(rig.ask("POST", kReviews + "tokenreviews", "{}", "application/json", "jane").status == 403);
}

}  // namespace
}  // namespace skiff::kube
