// Paths and bodies that clients seldom send.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kPods = "/api/v1/namespaces/default/pods";
const std::string kPod = R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})";

// A server in which pods can be made.
struct PodRig : ServerRig {
  PodRig() {
    ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  }
};

TEST_CASE("checks of health are named, and others are not there") {
  ServerRig rig;
  for (const char* path : {"/livez", "/readyz", "/healthz", "/livez/ping", "/readyz/etcd"}) {
    CHECK(rig.ask("GET", path).text == "ok");
  }
  CHECK(rig.ask("GET", "/livez/nonsense").status == 404);
  CHECK(rig.ask("GET", "/readyz?verbose").text == "[+]ping ok\n[+]log ok\n[+]etcd ok\nreadyz check passed\n");
}

TEST_CASE("a path of nothing is no path of the server") {
  ServerRig rig;
  for (const char* path : {"", "?verbose", "livez"}) CHECK(rig.ask("GET", path).status == 404);
}

TEST_CASE("the old paths of watches are watches") {
  ServerRig rig;
  const auto watched = rig.ask("GET", "/api/v1/watch/namespaces/default/configmaps?timeoutSeconds=1");
  CHECK(watched.status == 200);
  CHECK(watched.body["kind"].str() != "ConfigMapList");
  CHECK(rig.ask("GET", "/api/v1/watch/configmaps?timeoutSeconds=1", "", "", "jane").status == 403);
}

TEST_CASE("a set of nothing is a set of one empty value") {
  ServerRig rig;
  rig.ask("POST", "/api/v1/namespaces/default/configmaps", R"({"metadata":{"name":"m","labels":{"a":""}}})");
  const auto found = rig.ask("GET", "/api/v1/namespaces/default/configmaps?labelSelector=a%20in%20()");
  CHECK(found.status == 200);
  CHECK(found.body["items"].size() == 1);
}

TEST_CASE("an eviction names the pod of its path") {
  PodRig rig;
  REQUIRE(rig.ask("POST", kPods, kPod).status == 201);
  const auto other = rig.ask("POST", kPods + "/p/eviction", R"({"metadata":{"name":"q"}})");
  CHECK(other.status == 400);
  CHECK(other.body["message"].str() == "name in URL does not match name in Eviction object");
  CHECK(rig.ask("GET", kPods + "/p").body["metadata"]["deletionTimestamp"].is_null());
}

TEST_CASE("a namespace keeps the finalizers that its creator gives") {
  ServerRig rig;
  const auto made =
      rig.ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"n"},"spec":{"finalizers":["e.com/f"]}})");
  CHECK(json::encode(made.body["spec"]["finalizers"]) == R"(["e.com/f","kubernetes"])");
}

TEST_CASE("warnings tell what of Services, Ingresses and names has no effect or surprises") {
  PodRig rig;
  const auto warning = [&](const std::string& path, const std::string& body) {
    const auto answer = rig.ask("POST", path, body);
    CHECK(answer.status == 201);
    return std::string(answer.headers.get("Warning"));
  };
  CHECK(warning("/api/v1/namespaces/default/services",
                R"({"metadata":{"name":"s"},"spec":{"externalName":"a.b","ports":[{"port":80}]}})") ==
        R"(299 - "spec.externalName is ignored when spec.type is not \"ExternalName\"")");
  CHECK(warning("/apis/networking.k8s.io/v1/namespaces/default/ingresses",
                R"({"metadata":{"name":"i","annotations":{"kubernetes.io/ingress.class":"x"}},
                    "spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}})")
            .contains("ingress.class"));
  CHECK(warning(kPods, R"({"metadata":{"name":"a.b"},"spec":{"containers":[{"name":"c","image":"i"}]}})")
            .contains("this is used in the Pod's hostname"));
}

}  // namespace
}  // namespace skiff::kube
