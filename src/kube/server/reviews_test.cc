// Access reviews: what they must say, and what they are told.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kGroup = "/apis/authorization.k8s.io/v1/";
const std::string kResource =
    R"("resourceAttributes":{"namespace":"default","verb":"get","resource":"configmaps"})";
const std::string kPath = R"("nonResourceAttributes":{"path":"/x","verb":"get"})";

std::string said(ServerRig& rig, const std::string& plural, const std::string& body) {
  const auto answer = rig.ask("POST", kGroup + plural, body);
  return std::to_string(answer.status) + " " + answer.body["message"].str();
}

TEST_CASE("a review that does not say one thing about somebody is refused") {
  ServerRig rig;
  const struct {
    std::string spec, error;
  } cases[] = {
      {R"("user":"a")",
       "spec.resourceAttributes: Invalid value: \"null\": exactly one of nonResourceAttributes or "
       "resourceAttributes must be specified"},
      {R"("user":"a",)" + kResource + "," + kPath,
       "spec.nonResourceAttributes: Invalid value: authorization.NonResourceAttributes{Path:\"/x\", "
       "Verb:\"get\"}: cannot be specified in combination with resourceAttributes"},
      {kPath, "spec.user: Invalid value: \"\": at least one of user or group must be specified"},
      {R"("groups":["g"],"resourceAttributes":{"labelSelector":{}})",
       "spec.resourceAttributes.labelSelector.requirements: Required value: when "
       "spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required"},
  };
  for (const auto& one : cases) {
    CHECK(said(rig, "subjectaccessreviews", R"({"spec":{)" + one.spec + "}}") ==
          "422 SubjectAccessReview.authorization.k8s.io \"\" is invalid: " + one.error);
  }
  CHECK(said(rig, "selfsubjectaccessreviews", R"({"spec":{}})").starts_with("422 "));
  CHECK(said(rig, "selfsubjectaccessreviews",
             R"({"metadata":{"creationTimestamp":null},"spec":{)" + kPath + "}}") == "201 ");
  CHECK(said(rig, "selfsubjectaccessreviews", R"({"metadata":{"name":"x"},"spec":{)" + kPath + "}}")
            .ends_with(": must be empty"));
  CHECK(said(rig, "selfsubjectrulesreviews", R"({"spec":{}})") == "400 no namespace on request");
}

TEST_CASE("a local review asks about its own namespace") {
  ServerRig rig;
  const std::string plural = "namespaces/default/localsubjectaccessreviews";
  const auto spec = [](const std::string& name_space) {
    return R"("spec":{"user":"a","resourceAttributes":{"verb":"get","resource":"pods","namespace":")" +
           name_space + "\"}}";
  };
  CHECK(said(rig, plural, "{" + spec("default") + "}") == "201 ");
  CHECK(said(rig, plural, "{" + spec("other") + "}") ==
        "422 LocalSubjectAccessReview.authorization.k8s.io \"\" is invalid: "
        "spec.resourceAttributes.namespace: Invalid value: \"other\": must match metadata.namespace");
  CHECK(said(rig, plural, R"({"metadata":{"namespace":"other"},)" + spec("other") + "}").starts_with("400 "));
  CHECK(said(rig, plural, R"({"spec":{"user":"a",)" + kPath + "}}")
            .ends_with(": disallowed on this kind of request"));
}

TEST_CASE("a review says which binding allows what was asked") {
  ServerRig rig;
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  const auto bind = [&](const std::string& path, const std::string& subject) {
    const std::string role =
        R"("roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[)" + subject + "]}";
    REQUIRE(rig.ask("POST", rbac + path, R"({"metadata":{"name":"b"},)" + role).status == 201);
  };
  bind("namespaces/default/rolebindings", R"({"kind":"ServiceAccount","name":"robot"})");
  bind("clusterrolebindings", R"({"kind":"Group","name":"devs"})");
  const auto reason = [&](const std::string& who) {
    return rig.ask("POST", kGroup + "subjectaccessreviews", R"({"spec":{)" + who + "," + kResource + "}}")
        .body["status"]["reason"]
        .str();
  };
  CHECK(reason(R"("groups":["devs"])") ==
        R"(RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "view" to Group "devs")");
  CHECK(
      reason(R"("user":"system:serviceaccount:default:robot")") ==
      R"(RBAC: allowed by RoleBinding "b/default" of ClusterRole "view" to ServiceAccount "robot/default")");
  CHECK(reason(R"("user":"eve")") == "");
}

}  // namespace
}  // namespace skiff::kube
