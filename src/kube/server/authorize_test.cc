// Rights through Role, ClusterRole and bindings, asked over the API as another user.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kRbac = "/apis/rbac.authorization.k8s.io/v1";
const std::string kRoles = kRbac + "/namespaces/default/roles";
const std::string kBindings = kRbac + "/namespaces/default/rolebindings";
const std::string kClusterRoles = kRbac + "/clusterroles";
const std::string kClusterBindings = kRbac + "/clusterrolebindings";
const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kSecrets = "/api/v1/namespaces/default/secrets";

struct Caller {
  std::string user;
  std::vector<std::string> groups;
};

TestAnswer ask_as(ServerRig& rig, const Caller& caller, const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& type = "application/json") {
  net::Request request;
  request.method = method;
  request.target = target;
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Impersonate-User", caller.user);
  for (const auto& group : caller.groups) request.headers.add("Impersonate-Group", group);
  if (!body.empty()) request.headers.set("Content-Type", type);
  return rig.ask(request, body);
}

void grant(ServerRig& rig, const std::string& rules, const std::string& subjects) {
  const std::string head = R"({"metadata":{"name":"r"},)";
  REQUIRE(rig.ask("POST", kRoles, head + R"("rules":)" + rules + "}").status == 201);
  REQUIRE(
      rig.ask(
             "POST", kBindings,
             head +
                 R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},"subjects":)" +
                 subjects + "}")
          .status == 201);
}

void grant_everywhere(ServerRig& rig, const std::string& rules, const std::string& subjects) {
  const std::string head = R"({"metadata":{"name":"r"},)";
  REQUIRE(rig.ask("POST", kClusterRoles, head + R"("rules":)" + rules + "}").status == 201);
  REQUIRE(rig.ask("POST", kClusterBindings,
                  head +
                      R"("roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},
                    "subjects":)" +
                      subjects + "}")
              .status == 201);
}

const std::string kJane = R"([{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"jane"}])";

TEST_CASE("a role counts in its namespace alone, for its verbs alone") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list"]}])", kJane);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 200);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps + "?watch=true&timeoutSeconds=1").status == 403);
  CHECK(ask_as(rig, {"jane"}, "POST", kMaps, R"({"metadata":{"name":"x"}})").status == 403);
  CHECK(ask_as(rig, {"jane"}, "GET", "/api/v1/namespaces/kube-system/configmaps").status == 403);
  CHECK(ask_as(rig, {"jane"}, "GET", "/api/v1/configmaps").status == 403);
  CHECK(ask_as(rig, {"john"}, "GET", kMaps).status == 403);
  const auto removed = rig.ask("DELETE", kBindings + "/r");
  REQUIRE(removed.status == 200);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 403);
}

TEST_CASE("a rule of names allows those objects alone") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["one"],"verbs":["*"]}])",
        kJane);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps + "/one").status == 404);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps + "/two").status == 403);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 403);
  CHECK(ask_as(rig, {"jane"}, "POST", kMaps, R"({"metadata":{"name":"one"}})").status == 403);
}

TEST_CASE("an asterisk among the names of a rule is no wildcard") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["*"],"verbs":["get"]},
                 {"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"verbs":["create"]}])",
        kJane);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps + "/one").status == 403);
  const auto role = [](const std::string& name) {
    return R"({"metadata":{"generateName":"r"},"rules":[{"apiGroups":[""],"resources":["configmaps"],
        "resourceNames":[")" +
           name + R"("],"verbs":["get"]}]})";
  };
  CHECK(ask_as(rig, {"jane"}, "POST", kRoles, role("one")).status == 403);
  CHECK(ask_as(rig, {"jane"}, "POST", kRoles, role("*")).status == 201);
}

TEST_CASE("a subresource needs a rule of its own") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":["apps"],"resources":["deployments/scale"],"verbs":["get"]}])", kJane);
  const std::string web = "/apis/apps/v1/namespaces/default/deployments/web";
  CHECK(ask_as(rig, {"jane"}, "GET", web + "/scale").status == 404);
  CHECK(ask_as(rig, {"jane"}, "GET", web).status == 403);
  CHECK(ask_as(rig, {"jane"}, "GET", web + "/status").body["message"].str() ==
        "deployments.apps \"web\" is forbidden: User \"jane\" cannot get resource \"deployments/status\" in "
        "API "
        "group \"apps\" in the namespace \"default\"");
}

TEST_CASE("paths that are no resources are granted by pattern") {
  ServerRig rig;
  grant_everywhere(rig, R"([{"nonResourceURLs":["/metrics","/openapi/*"],"verbs":["get"]}])", kJane);
  CHECK(ask_as(rig, {"jane"}, "GET", "/metrics").status == 200);
  CHECK(ask_as(rig, {"jane"}, "GET", "/openapi/v3").status == 200);
  CHECK(ask_as(rig, {"jane"}, "GET", "/elsewhere").body["message"].str() ==
        "forbidden: User \"jane\" cannot get path \"/elsewhere\"");
}

TEST_CASE("groups and service accounts are subjects too") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":["*"],"resources":["*"],"verbs":["list"]}])",
        R"([{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"devs"},
            {"kind":"ServiceAccount","name":"robot","namespace":"shop"}])");
  CHECK(ask_as(rig, {"ann", {"devs"}}, "GET", kMaps).status == 200);
  CHECK(ask_as(rig, {"ann", {"ops"}}, "GET", kMaps).status == 403);
  CHECK(ask_as(rig, {"system:serviceaccount:shop:robot"}, "GET", kMaps).status == 200);
  CHECK(ask_as(rig, {"system:serviceaccount:default:robot"}, "GET", kMaps).status == 403);
}

TEST_CASE("an aggregated role has the rules of the roles that it selects") {
  ServerRig rig;
  rig.ask("POST", kClusterRoles, R"({"metadata":{"name":"part","labels":{"to":"all"}},
    "rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}]})");
  rig.ask("POST", kClusterRoles, R"({"metadata":{"name":"sum"},
    "aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"all"}}]},"rules":[]})");
  rig.ask("POST", kClusterBindings,
          R"({"metadata":{"name":"sum"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"sum"},"subjects":)" +
              kJane + "}");
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 200);
  rig.ask("DELETE", kClusterRoles + "/part");
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 403);
}

TEST_CASE("admin, edit and view take up the roles labelled for them") {
  ServerRig rig;
  rig.ask("POST", kClusterRoles, R"({"metadata":{"name":"gizmos","labels":
    {"rbac.authorization.k8s.io/aggregate-to-edit":"true"}},
    "rules":[{"apiGroups":["e.example.com"],"resources":["gizmos"],"verbs":["list"]}]})");
  rig.ask("POST", kBindings,
          R"({"metadata":{"name":"e"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"edit"},"subjects":)" +
              kJane + "}");
  CHECK(ask_as(rig, {"jane"}, "GET", "/apis/e.example.com/v1/namespaces/default/gizmos").status == 404);
  CHECK(ask_as(rig, {"jane"}, "GET", "/apis/e.example.com/v1/namespaces/other/gizmos").status == 403);
  CHECK(ask_as(rig, {"jane"}, "GET", kMaps).status == 200);
}

TEST_CASE("what is added to view and edit is part of the wider roles") {
  ServerRig rig;
  rig.ask("POST", kClusterRoles, R"({"metadata":{"name":"gizmos","labels":
    {"rbac.authorization.k8s.io/aggregate-to-view":"true"}},
    "rules":[{"apiGroups":["e.example.com"],"resources":["gizmos"],"verbs":["list"]}]})");
  rig.ask("POST", kBindings,
          R"({"metadata":{"name":"a"},
    "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"admin"},"subjects":)" +
              kJane + "}");
  CHECK(ask_as(rig, {"jane"}, "GET", "/apis/e.example.com/v1/namespaces/default/gizmos").status == 404);
}

TEST_CASE("edit and admin write neither a status nor where a Service's traffic goes") {
  struct Ask {
    const char* path;
    bool edit;
  };
  constexpr Ask kAsks[] = {
      {"/api/v1/namespaces/default/endpoints/x", false},
      {"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/x", false},
      {"/api/v1/namespaces/default/pods/x/status", false},
      {"/api/v1/namespaces/default/services/x/status", false},
      {"/apis/apps/v1/namespaces/default/deployments/x/status", false},
      {"/apis/apps/v1/namespaces/default/replicasets/x/status", false},
      {"/apis/networking.k8s.io/v1/namespaces/default/ingresses/x/status", false},
      {"/api/v1/namespaces/default", false},
      {"/api/v1/namespaces/default/pods/x", true},
      {"/api/v1/namespaces/default/services/x", true},
      {"/api/v1/namespaces/default/secrets/x", true},
      {"/apis/apps/v1/namespaces/default/deployments/x", true},
      {"/apis/apps/v1/namespaces/default/deployments/x/scale", true},
      {"/apis/networking.k8s.io/v1/namespaces/default/ingresses/x", true},
      {"/apis/coordination.k8s.io/v1/namespaces/default/leases/x", true},
  };
  for (const char* role : {"edit", "admin"}) {
    ServerRig rig;
    rig.ask("POST", kBindings,
            R"({"metadata":{"name":"e"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io",
      "kind":"ClusterRole","name":")" +
                std::string(role) + R"("},"subjects":)" + kJane + "}");
    for (const auto& [path, allowed] : kAsks) {
      CAPTURE(role);
      CAPTURE(path);
      const auto answer =
          ask_as(rig, {"jane"}, "PATCH", path, R"({"metadata":{}})", "application/merge-patch+json");
      CHECK(answer.status == (allowed ? 404 : 403));
    }
    CHECK(
        ask_as(rig, {"jane"}, "GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices").status ==
        200);
    CHECK((ask_as(rig, {"jane"}, "POST", kRoles, R"({"metadata":{"name":"own"},"rules":[
      {"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["update"]}]})")
               .status) == 403);
  }
}

TEST_CASE("nobody grants what they do not hold") {
  ServerRig rig;
  grant(rig,
        R"([{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"verbs":["*"]},
                 {"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}])",
        kJane);
  const auto own = ask_as(rig, {"jane"}, "POST", kRoles, R"({"metadata":{"name":"own"},
    "rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]})");
  // The verb * on roles holds "escalate" and "bind" too, so jane may grant anything.
  CHECK(own.status == 201);
  rig.ask("PATCH", kRoles + "/r", R"({"rules":[
    {"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"verbs":["create","update","patch","get"]},
    {"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]})",
          "application/merge-patch+json");
  const auto more = ask_as(rig, {"jane"}, "POST", kRoles, R"({"metadata":{"name":"more"},
    "rules":[{"apiGroups":[""],"resources":["secrets","configmaps"],"verbs":["get","list"]}]})");
  CHECK(more.status == 403);
  CHECK(more.body["message"].str() ==
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"jane\" "
        "(groups=[\"system:authenticated\"]) "
        "is attempting to grant RBAC permissions not currently held:\n"
        "{APIGroups:[\"\"], Resources:[\"configmaps\"], Verbs:[\"list\"]}\n"
        "{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"list\"]}");
  const auto wider = ask_as(rig, {"jane"}, "PATCH", kRoles + "/own",
                            R"({"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]})",
                            "application/merge-patch+json");
  CHECK(wider.status == 403);
  const auto label = ask_as(rig, {"jane"}, "PATCH", kRoles + "/own", R"({"metadata":{"labels":{"a":"b"}}})",
                            "application/merge-patch+json");
  CHECK(label.status == 200);
}

TEST_CASE("nobody binds a role that allows more than they hold") {
  ServerRig rig;
  grant(rig,
        R"([{"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings"],"verbs":["create"]}])",
        kJane);
  const auto binding = [](const std::string& kind, const std::string& role) {
    return R"({"metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":")" + kind +
           R"(","name":")" + role + R"("},"subjects":)" + kJane + "}";
  };
  const auto admin = ask_as(rig, {"jane"}, "POST", kBindings, binding("ClusterRole", "cluster-admin"));
  CHECK(admin.status == 403);
  CHECK(admin.body["message"].str().find("attempting to grant RBAC permissions not currently held:\n") !=
        std::string::npos);
  CHECK(ask_as(rig, {"jane"}, "POST", kBindings, binding("Role", "none")).status == 404);
  CHECK(ask_as(rig, {"jane"}, "POST", kBindings, binding("Role", "r")).status == 201);
}

TEST_CASE("anonymous callers see health and the version, and nothing else") {
  ServerRig rig;
  for (const char* path : {"/healthz", "/livez", "/readyz", "/version"}) {
    CHECK_MESSAGE(rig.ask("GET", path, "", "", "").status == 200, path);
  }
  for (const char* path : {"/api", "/apis", "/openapi/v3", "/metrics", "/api/v1/nodes", "/"}) {
    CHECK_MESSAGE(rig.ask("GET", path, "", "", "").status == 403, path);
  }
}

TEST_CASE("the edge reads routes and endpoints, no secret, and writes nothing") {
  ServerRig rig;
  const Caller edge{"system:skiff:edge", {"system:skiff"}};
  for (const char* path : {"/apis/networking.k8s.io/v1/ingresses", "/api/v1/services", "/api/v1/pods",
                           "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/namespaces"}) {
    CHECK_MESSAGE(ask_as(rig, edge, "GET", path).status == 200, path);
  }
  CHECK(ask_as(rig, edge, "GET", kSecrets).status == 403);
  CHECK(ask_as(rig, edge, "GET", "/api/v1/secrets").status == 403);
  CHECK(ask_as(rig, edge, "GET", kMaps).status == 403);
  CHECK(ask_as(rig, edge, "POST", "/api/v1/namespaces/default/pods", "{}").status == 403);
  CHECK(ask_as(rig, edge, "POST", kClusterBindings, "{}").status == 403);
}

TEST_CASE("the platform keeps apps but changes no rights and no nodes") {
  ServerRig rig;
  const Caller platform{"system:skiff:platform", {"system:skiff"}};
  CHECK(ask_as(rig, platform, "POST", "/api/v1/namespaces", R"({"metadata":{"name":"shop"}})").status == 201);
  CHECK(ask_as(rig, platform, "POST", "/api/v1/namespaces/shop/secrets", R"({"metadata":{"name":"s"}})")
            .status == 201);
  CHECK(ask_as(rig, platform, "GET", "/apis/apps/v1/namespaces/shop/deployments").status == 200);
  CHECK(ask_as(rig, platform, "GET", "/api/v1/namespaces/shop/events").status == 200);
  CHECK(ask_as(rig, platform, "POST", "/api/v1/namespaces/shop/events", "{}").status == 403);
  CHECK(ask_as(rig, platform, "POST", kClusterRoles, "{}").status == 403);
  CHECK(ask_as(rig, platform, "GET", "/api/v1/configmaps").status == 403);
  CHECK(ask_as(rig, platform, "GET", "/api/v1/nodes").status == 403);
  CHECK(ask_as(rig, platform, "PATCH", "/api/v1/nodes/n", "{}", "application/merge-patch+json").status ==
        403);
  CHECK(ask_as(rig, platform, "POST", "/api/v1/namespaces/shop/serviceaccounts/default/token", "{}").status ==
        403);
}

const Caller kNode{"system:node:n1", {"system:nodes"}};

void run_pod(ServerRig& rig, const std::string& name, const std::string& node, const std::string& spec) {
  const std::string pods = "/api/v1/namespaces/default/pods";
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  REQUIRE(rig.ask("POST", pods,
                  R"({"metadata":{"name":")" + name + R"("},"spec":{)" + spec +
                      R"("containers":[{"name":"c","image":"x",
      "envFrom":[{"secretRef":{"name":"env-)" +
                      name + R"("}}]}]}})")
              .status == 201);
  REQUIRE(
      rig.ask("POST", pods + "/" + name + "/binding",
              R"({"metadata":{"name":")" + name + R"("},"target":{"kind":"Node","name":")" + node + "\"}}")
          .status == 201);
}

TEST_CASE("a node reads the secrets and configmaps of its own pods alone") {
  ServerRig rig;
  run_pod(rig, "mine", "n1", R"("volumes":[{"name":"v","configMap":{"name":"files"}}],)");
  run_pod(rig, "other", "n2", "");
  // 404: allowed, but there is none.
  CHECK(ask_as(rig, kNode, "GET", kSecrets + "/env-mine").status == 404);
  CHECK(ask_as(rig, kNode, "GET", kMaps + "/files").status == 404);
  CHECK(ask_as(rig, kNode, "GET", kMaps + "/kube-root-ca.crt").status == 404);
  CHECK(ask_as(rig, kNode, "GET", kSecrets + "/env-other").status == 403);
  CHECK(ask_as(rig, kNode, "GET", kSecrets + "/files").status == 403);
  CHECK(ask_as(rig, kNode, "GET", kSecrets).status == 403);
  CHECK(ask_as(rig, kNode, "DELETE", kSecrets + "/env-mine").status == 403);
}

TEST_CASE("a node changes its own node, lease and pods alone") {
  ServerRig rig;
  run_pod(rig, "mine", "n1", "");
  run_pod(rig, "other", "n2", "");
  const std::string pods = "/api/v1/namespaces/default/pods/", merge = "application/merge-patch+json";
  const std::string ready = R"({"status":{"phase":"Running"}})";
  CHECK(ask_as(rig, kNode, "PATCH", pods + "mine/status", ready, merge).status == 200);
  CHECK(ask_as(rig, kNode, "PATCH", pods + "other/status", ready, merge).status == 403);
  CHECK(ask_as(rig, kNode, "PATCH", pods + "mine", ready, merge).status == 403);
  CHECK(ask_as(rig, kNode, "DELETE", pods + "other").status == 403);
  CHECK(ask_as(rig, kNode, "DELETE", pods + "mine").status == 200);
  CHECK(ask_as(rig, kNode, "PATCH", pods + "gone/status", ready, merge).status == 404);
  CHECK(ask_as(rig, kNode, "DELETE", pods + "gone").status == 404);
  CHECK(ask_as(rig, kNode, "PATCH", "/api/v1/nodes/n1/status", "{}", merge).status == 404);
  CHECK(ask_as(rig, kNode, "PATCH", "/api/v1/nodes/n2/status", "{}", merge).status == 403);
  const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  CHECK(ask_as(rig, kNode, "GET", leases + "/n1").status == 404);
  CHECK(ask_as(rig, kNode, "GET", leases + "/n2").status == 403);
  CHECK(ask_as(rig, kNode, "POST", "/api/v1/namespaces/default/pods", "{}").status == 403);
  const std::string ingresses = "/apis/networking.k8s.io/v1/ingresses";
  CHECK(ask_as(rig, kNode, "GET", ingresses).status == 200);
  CHECK(ask_as(rig, kNode, "DELETE", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/i").status ==
        403);
  CHECK(ask_as(rig, kNode, "POST", "/api/v1/nodes", R"({"metadata":{"name":"n1"}})").status == 201);
  const auto other = ask_as(rig, kNode, "POST", "/api/v1/nodes", R"({"metadata":{"name":"n2"}})");
  CHECK(other.status == 403);
  CHECK(other.body["message"].str() ==
        "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"");
  CHECK(ask_as(rig, kNode, "POST", leases, R"({"metadata":{"name":"n2"}})").status == 403);
}

TEST_CASE("an access review answers for anybody, a self review for the caller") {
  ServerRig rig;
  grant(rig, R"([{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}])", kJane);
  const std::string group = "/apis/authorization.k8s.io/v1/";
  const std::string spec =
      R"("resourceAttributes":{"namespace":"default","verb":"get","resource":"configmaps"}}})";
  const auto self = ask_as(rig, {"jane"}, "POST", group + "selfsubjectaccessreviews", R"({"spec":{)" + spec);
  CHECK(self.status == 201);
  CHECK(self.body["status"]["allowed"].as_bool());
  const auto other = rig.ask("POST", group + "subjectaccessreviews", R"({"spec":{"user":"john",)" + spec);
  CHECK_FALSE(other.body["status"]["allowed"].as_bool());
  const auto local = rig.ask("POST", group + "namespaces/default/localsubjectaccessreviews",
                             R"({"metadata":{"namespace":"default"},"spec":{"user":"jane",)" + spec);
  CHECK(local.body["status"]["allowed"].as_bool());
  CHECK(ask_as(rig, {"jane"}, "POST", group + "subjectaccessreviews", R"({"spec":{"user":"john",)" + spec)
            .status == 403);
  const auto rules =
      ask_as(rig, {"jane"}, "POST", group + "selfsubjectrulesreviews", R"({"spec":{"namespace":"default"}})");
  CHECK(json::encode(rules.body["status"]["resourceRules"]).find(R"("configmaps")") != std::string::npos);
}

}  // namespace
}  // namespace skiff::kube
