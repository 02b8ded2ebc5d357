#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kReview = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

TestAnswer ask_as(ServerRig& rig, const std::string& token, net::Headers headers, const std::string& method,
                  const std::string& target, const std::string& body = "") {
  net::Request request;
  request.method = method;
  request.target = target;
  request.headers = std::move(headers);
  request.headers.set("Authorization", "Bearer " + token);
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  return rig.ask(request, body);
}

TEST_CASE("an administrator who acts as another user has that user's rights") {
  ServerRig rig;
  const auto refused = ask_as(rig, "master", net::Headers({{"Impersonate-User", "jane"}}), "GET", kPods);
  CHECK(refused.status == 403);
  CHECK(refused.body["message"].str() ==
        "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace "
        "\"default\"");
  const auto allowed = ask_as(
      rig, "master", net::Headers({{"Impersonate-User", "jane"}, {"impersonate-group", "system:masters"}}),
      "GET", kPods);
  CHECK(allowed.status == 200);
}

TEST_CASE("a service account is impersonated with its groups") {
  ServerRig rig;
  const auto review =
      ask_as(rig, "master", net::Headers({{"Impersonate-User", "system:serviceaccount:shop:robot"}}), "POST",
             kReview, R"({"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"})");
  REQUIRE(review.status == 201);
  const auto& user = review.body["status"]["userInfo"];
  CHECK(user["username"].str() == "system:serviceaccount:shop:robot");
  CHECK(json::encode(user["groups"]) ==
        R"(["system:serviceaccounts","system:serviceaccounts:shop","system:authenticated"])");
}

TEST_CASE("nobody takes on a name without the right to") {
  ServerRig rig;
  const auto refused = ask_as(rig, "jane", net::Headers({{"Impersonate-User", "admin"}}), "GET", kPods);
  CHECK(refused.status == 403);
  CHECK(refused.body["message"].str() ==
        "users \"admin\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" "
        "at the "
        "cluster scope");
}

TEST_CASE("groups without a user are an error") {
  ServerRig rig;
  CHECK(ask_as(rig, "master", net::Headers({{"Impersonate-Group", "system:masters"}}), "GET", kPods).status ==
        500);
}

}  // namespace
}  // namespace skiff::kube
