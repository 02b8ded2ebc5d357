// PUT of an object that is not there: some kinds are created by it, as upstream.
#include <doctest/doctest.h>

#include "base/strings.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kRoles = "/apis/rbac.authorization.k8s.io/v1/";
const std::string kLeases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const std::string kLease = R"({"metadata":{"name":"x"},"spec":{"holderIdentity":"me"}})";

struct Sample {
  std::string path;  // of the object
  std::string rest;  // of its body
};

// One of every kind that is served and kept.
std::vector<Sample> created_by_updates() {
  const std::string core = "/api/v1/namespaces/default/";
  const std::string rule = R"(,"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])";
  const std::string ref =
      R"(,"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"})";
  return {{core + "services/x", R"(,"spec":{"ports":[{"port":80}]})"},
          {core + "endpoints/x", ""},
          {core + "events/x", R"(,"involvedObject":{"namespace":"default","kind":"Pod","name":"p"})"},
          {"/apis/events.k8s.io/v1/namespaces/default/events/x",
           R"(,"eventTime":"2026-01-01T00:00:00.000001Z","reportingController":"a.io/b","action":"Do",
              "reportingInstance":"b-1","reason":"Why","type":"Normal","regarding":{"namespace":"default"})"},
          {kLeases + "/x", ""},
          {kRoles + "namespaces/default/roles/x", rule},
          {kRoles + "clusterroles/x", rule},
          {kRoles + "namespaces/default/rolebindings/x", ref},
          {kRoles + "clusterrolebindings/x", ref}};
}

std::vector<Sample> created_by_posts() {
  const std::string core = "/api/v1/namespaces/default/";
  const std::string apps = "/apis/apps/v1/namespaces/default/";
  return {{"/api/v1/namespaces/x", ""},
          {"/api/v1/nodes/x", ""},
          {core + "pods/x", ""},
          {core + "configmaps/x", ""},
          {core + "secrets/x", ""},
          {core + "serviceaccounts/x", ""},
          {apps + "deployments/x", ""},
          {apps + "replicasets/x", ""},
          {"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/x", R"(,"addressType":"IPv4")"},
          {"/apis/networking.k8s.io/v1/namespaces/default/ingresses/x", ""},
          {"/apis/networking.k8s.io/v1/ingressclasses/x", ""},
          {"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x", ""}};
}

std::string body_of(const Sample& sample, const std::string& metadata = "") {
  return R"({"metadata":{"name":"x")" + metadata + "}" + sample.rest + "}";
}

std::string collection_of(const Sample& sample) {
  return sample.path.substr(0, sample.path.rfind('/'));
}

}  // namespace

TEST_CASE("an update creates a missing object of the kinds that upstream creates so") {
  for (const Sample& sample : created_by_updates()) {
    CAPTURE(sample.path);
    ServerRig rig;
    const auto made = rig.ask("PUT", sample.path, body_of(sample));
    REQUIRE_MESSAGE(made.status == 201, made.text);
    CHECK_FALSE(made.body["metadata"]["uid"].str().empty());
    CHECK_FALSE(made.body["metadata"]["creationTimestamp"].str().empty());
    CHECK(rig.ask("GET", sample.path).body == made.body);
    const auto again = rig.ask("PUT", sample.path, json::encode(made.body));
    CHECK(again.status == 200);
    CHECK(again.body == made.body);
  }
}

TEST_CASE("an update of a missing object of any other kind finds nothing") {
  for (const Sample& sample : created_by_posts()) {
    CAPTURE(sample.path);
    ServerRig rig;
    CHECK(rig.ask("PUT", sample.path, body_of(sample)).status == 404);
    CHECK(rig.ask("GET", sample.path).status == 404);
  }
}

TEST_CASE("each kind is in one of the two lists") {
  const Registry registry;
  std::string paths;
  for (const auto& list : {created_by_updates(), created_by_posts()}) {
    for (const Sample& sample : list) paths += collection_of(sample) + "\n";
  }
  for (const KindPtr& kind : registry.all()) {
    if (!kind->listed) continue;
    CAPTURE(kind->group_resource());
    CHECK(paths.contains("/" + kind->api_version() + "/"));
    CHECK(paths.contains("/" + kind->plural + "\n"));
  }
}

TEST_CASE("what an update creates, a dry run only shows") {
  ServerRig rig;
  CHECK(rig.ask("PUT", kLeases + "/x?dryRun=All", kLease).status == 201);
  CHECK(rig.ask("GET", kLeases + "/x").status == 404);
}

TEST_CASE("an update that creates is one of this name, of no former object, in a namespace that is there") {
  ServerRig rig;
  CHECK(rig.ask("PUT", kLeases + "/y", kLease).status == 400);
  const auto former = rig.ask("PUT", kLeases + "/x", R"({"metadata":{"name":"x","uid":"gone"}})");
  CHECK(former.status == 409);
  CHECK(former.body["message"].str().ends_with(
      "Precondition failed: UID in precondition: gone, UID in object meta: "));
  const std::string nowhere = replace_all(kLeases, "default", "nowhere");
  CHECK(rig.ask("PUT", nowhere + "/x", kLease).status == 404);
  CHECK(rig.ask("PUT", kLeases + "/x/status", kLease).status == 404);
  CHECK(rig.ask("GET", kLeases).body["items"].size() == 0);
  // A revision of a former object is no hindrance.
  CHECK(rig.ask("PUT", kLeases + "/x", R"({"metadata":{"name":"x","resourceVersion":"7"}})").status == 201);
}

TEST_CASE("a patch of a missing object finds nothing, whatever the kind") {
  for (const Sample& sample : created_by_updates()) {
    CAPTURE(sample.path);
    ServerRig rig;
    CHECK(rig.ask("PATCH", sample.path, body_of(sample), "application/merge-patch+json").status == 404);
  }
}

TEST_CASE("an update creates only for those who may create") {
  ServerRig rig;
  const auto allow = [&](const std::string& verbs) {
    const std::string role = R"({"metadata":{"name":"x"},"rules":[{"verbs":)" + verbs +
                             R"(,"apiGroups":["coordination.k8s.io"],"resources":["leases"]}]})";
    REQUIRE(rig.ask("PUT", kRoles + "namespaces/default/roles/x", role).status < 300);
  };
  allow(R"(["update"])");
  REQUIRE(rig.ask("POST", kRoles + "namespaces/default/rolebindings", R"({"metadata":{"name":"x"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"x"},
    "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"jane"}]})")
              .status == 201);
  const auto put = [&] { return rig.ask("PUT", kLeases + "/x", kLease, "application/json", "jane"); };
  const auto refused = put();
  CHECK(refused.status == 403);
  CHECK(refused.body["message"].str() ==
        R"(leases.coordination.k8s.io "x" is forbidden: User "jane" cannot create resource "leases" )"
        R"(in API group "coordination.k8s.io" in the namespace "default")");
  CHECK(rig.ask("GET", kLeases + "/x").status == 404);
  allow(R"(["update","create"])");
  CHECK(put().status == 201);
}

TEST_CASE("a role that an update creates has no more rights than its writer") {
  ServerRig rig;
  REQUIRE(rig.ask("POST", kRoles + "clusterrolebindings", R"({"metadata":{"name":"x"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"admin"},
    "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"jane"}]})")
              .status == 201);
  const std::string path = kRoles + "namespaces/default/roles/x";
  const auto put = [&](const std::string& resource) {
    return rig.ask(
        "PUT", path,
        R"({"metadata":{"name":"x"},"rules":[{"verbs":["create"],"apiGroups":[""],"resources":[")" +
            resource + R"("]}]})",
        "application/json", "jane");
  };
  CHECK(put("nodes").status == 403);
  CHECK(rig.ask("GET", path).status == 404);
  CHECK(put("configmaps").status == 201);
}

TEST_CASE("a lease and a definition are not updated without the revision that was seen") {
  ServerRig rig;
  REQUIRE(rig.ask("PUT", kLeases + "/x", kLease).status == 201);
  const auto blind = rig.ask("PUT", kLeases + "/x", kLease);
  CHECK(blind.status == 422);
  CHECK(blind.body["message"].str() ==
        R"(leases.coordination.k8s.io "x" is invalid: metadata.resourceVersion: Invalid value: 0x0: )"
        "must be specified for an update");
  const std::string roles = kRoles + "clusterroles/x";
  for (const int status : {201, 200}) {
    CHECK(rig.ask("PUT", roles, R"({"metadata":{"name":"x"}})").status == status);
  }
}

}  // namespace skiff::kube
