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

TEST_CASE("a pod's token ends with the pod, also when a new one has its name") {
  ServerRig rig(with_keys());
  const std::string pods = "/api/v1/namespaces/default/pods";
  const std::string pod =
      R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"robot","containers":[{"name":"c","image":"i"}]}})";
  const std::string bound = R"({"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}})";
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  CHECK(rig.ask("POST", kAccounts + "/robot/token", R"({"spec":)" + bound + "}").status == 404);
  REQUIRE(rig.ask("POST", pods, pod).status == 201);
  const std::string token = token_of(rig, bound);
  CHECK(who_has(rig, token).is_object());
  rig.ask("DELETE", pods + "/p?gracePeriodSeconds=0");
  CHECK(who_has(rig, token).as_int() == 401);
  REQUIRE(rig.ask("POST", pods, pod).status == 201);
  CHECK(who_has(rig, token).as_int() == 401);
}

TEST_CASE("a token is bound to a pod of its account only, and to the one that is meant") {
  ServerRig rig(with_keys());
  const auto bound = [&](const std::string& account, const std::string& uid) {
    return rig.ask("POST", kAccounts + "/" + account + "/token",
                   R"({"spec":{"boundObjectRef":{"kind":"Pod","name":"p","uid":")" + uid + "\"}}}");
  };
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"other"}})");
  const auto pod = rig.ask(
      "POST", "/api/v1/namespaces/default/pods",
      R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"robot","containers":[{"name":"c","image":"i"}]}})");
  CHECK(bound("robot", pod.body["metadata"]["uid"].str()).status == 201);
  CHECK(bound("other", "").body["message"].str() ==
        "cannot bind token for serviceaccount \"other\" to pod running with different serviceaccount name.");
  CHECK(bound("robot", "old").body["message"].str() ==
        "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object reference (old) does not "
        "match "
        "the UID in record. The object might have been deleted and then recreated");
}

TEST_CASE("a token's lifetime is between ten minutes and 2^32 seconds") {
  ServerRig rig(with_keys());
  const auto asked = [&](const std::string& seconds) {
    return rig.ask("POST", kAccounts + "/robot/token", R"({"spec":{"expirationSeconds":)" + seconds + "}}");
  };
  rig.ask("POST", kAccounts, R"({"metadata":{"name":"robot"}})");
  CHECK(asked("600").status == 201);
  CHECK(asked("4294967296").status == 201);
  const auto shorter = asked("599");
  CHECK(shorter.status == 422);
  CHECK(shorter.body["message"].str() ==
        "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 599: may "
        "not "
        "specify a duration less than 10 minutes");
  for (const char* seconds : {"4294967297", "9223372036854775807"}) {
    const auto longer = asked(seconds);
    CHECK(longer.status == 422);
    CHECK(longer.body["message"].str().ends_with("may not specify a duration larger than 2^32 seconds"));
  }
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

TEST_CASE("a review tells who a token proves and for which of the asked audiences") {
  ServerRig rig(with_keys());
  const std::string token = token_of(rig, R"({"audiences":["vault","other"]})");
  const auto review = [&](const std::string& given, const std::string& audiences) {
    return rig.ask("POST", kReviews + "tokenreviews",
                   R"({"spec":{"token":")" + given + R"(","audiences":)" + audiences + "}}");
  };
  const auto meant = review(token, R"(["vault","x"])").body["status"];
  CHECK(meant["authenticated"].as_bool());
  CHECK(json::encode(meant["audiences"]) == R"(["vault"])");
  CHECK(meant["user"]["username"].str() == "system:serviceaccount:default:robot");
  CHECK(meant["user"]["extra"]["authentication.kubernetes.io/credential-id"].at(0).str().starts_with("JTI="));
  for (const char* audiences : {"[]", R"(["x"])"}) {
    const auto foreign = review(token, audiences).body["status"];
    CHECK_FALSE(foreign["authenticated"].as_bool());
    CHECK_FALSE(foreign.contains("audiences"));
    CHECK(foreign["error"].str().starts_with(
        R"j(token audiences ["vault" "other"] is invalid for the target audiences [)j"));
  }
  const std::string issuer = "https://kubernetes.default.svc.cluster.local";
  CHECK(json::encode(review(token_of(rig), "[]").body["status"]["audiences"]) == "[\"" + issuer + "\"]");
  CHECK(review("jane", "[]").body["status"]["authenticated"].as_bool());
  CHECK_FALSE(review("jane", R"(["vault"])").body["status"]["authenticated"].as_bool());
  CHECK(review("nobody", "[]").body["status"]["error"].str() == "invalid bearer token");
  CHECK(review("", "[]").status == 400);
  CHECK(who_has(rig, token).as_int() == 401);
}

TEST_CASE("each token has an id of its own, and names its pod and node") {
  ServerRig rig(with_keys());
  const auto id = [&](const std::string& token) {
    return who_has(rig, token)["extra"]["authentication.kubernetes.io/credential-id"].at(0).str();
  };
  CHECK(id(token_of(rig)) != id(token_of(rig)));
  rig.ask("POST", "/api/v1/nodes", R"({"metadata":{"name":"n"}})");
  const auto pod = rig.ask("POST", "/api/v1/namespaces/default/pods",
                           R"({"metadata":{"name":"p"},"spec":{"serviceAccountName":"robot","nodeName":"n",
      "containers":[{"name":"c","image":"i"}]}})");
  REQUIRE(pod.status == 201);
  const auto extra = who_has(
      rig, token_of(rig, R"({"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}})"))["extra"];
  const std::string prefix = "authentication.kubernetes.io/";
  CHECK(extra[prefix + "pod-name"].at(0).str() == "p");
  CHECK(extra[prefix + "pod-uid"].at(0) == pod.body["metadata"]["uid"]);
  CHECK(extra[prefix + "node-name"].at(0).str() == "n");
  CHECK_FALSE(extra[prefix + "node-uid"].at(0).str().empty());
}

TEST_CASE("service accounts read how tokens are proved, and the published key proves them") {
  ServerRig rig(with_keys());
  const std::string token = token_of(rig);
  const auto get = [&](const std::string& path, const std::string& who) {
    return rig.ask("GET", path, "", "", who);
  };
  const auto about = get("/.well-known/openid-configuration", token);
  REQUIRE(about.status == 200);
  CHECK(about.body["issuer"].str() == "https://kubernetes.default.svc.cluster.local");
  CHECK(about.body["jwks_uri"].str().ends_with("/openid/v1/jwks"));
  CHECK(about.headers.get("Content-Type") == "application/json");
  const auto keys = get("/openid/v1/jwks", token);
  REQUIRE(keys.status == 200);
  CHECK(keys.headers.get("Content-Type") == "application/jwk-set+json");
  const auto& key = keys.body["keys"].at(0);
  std::string head = replace_all(replace_all(split(token, '.')[0], "-", "+"), "_", "/");
  head.resize((head.size() + 3) / 4 * 4, '=');
  const auto form = json::parse(base64_decode(head).value_or(""));
  REQUIRE(form);
  CHECK((*form)["kid"] == key["kid"]);
  CHECK(key["crv"].str() == "P-256");
  CHECK(get("/openid/v1/jwks", "jane").status == 403);
  CHECK(get("/.well-known/openid-configuration", "").status == 403);
}

TEST_CASE("what is answered and not stored has no table") {
  ServerRig rig;
  net::Request request;
  request.method = "POST";
  request.target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Content-Type", "application/json");
  request.headers.set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
  const std::string body = R"({"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}})";
  CHECK(rig.ask(request, body).status == 406);
  request.headers.set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  const auto plain = rig.ask(request, body);
  CHECK(plain.status == 201);
  CHECK(plain.body["kind"].str() == "SelfSubjectAccessReview");
}

}  // namespace
}  // namespace skiff::kube
