// Who may create which pods where, and who is told what.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

constexpr const char* kPrivileged =
    R"({"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i",)"
    R"("securityContext":{"privileged":true}}]}})";
constexpr const char* kPlain =
    R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})";

class Spaces {
 public:
  Spaces() { make("open", ""); }
  // `labels` is the text of the members of the labels.
  TestAnswer make(const std::string& name, const std::string& labels) {
    auto made = rig.ask("POST", "/api/v1/namespaces",
                        R"({"metadata":{"name":")" + name + R"(","labels":{)" + labels + "}}}");
    rig.ask("POST", "/api/v1/namespaces/" + name + "/serviceaccounts", R"({"metadata":{"name":"default"}})");
    return made;
  }
  TestAnswer pod(const std::string& space, const std::string& body) {
    return rig.ask("POST", "/api/v1/namespaces/" + space + "/pods", body);
  }
  TestAnswer label(const std::string& space, const std::string& labels) {
    return rig.ask("PATCH", "/api/v1/namespaces/" + space, R"({"metadata":{"labels":{)" + labels + "}}}",
                   "application/merge-patch+json");
  }
  static std::vector<std::string> warnings(const TestAnswer& answer) {
    std::vector<std::string> out;
    for (const auto& [name, value] : answer.headers.all()) {
      if (name == "Warning") out.emplace_back(value);
    }
    return out;
  }
  ServerRig rig;
};

constexpr const char* kEnforce = R"("pod-security.kubernetes.io/enforce":)";

}  // namespace

TEST_CASE("a pod beyond baseline is refused where no label says otherwise") {
  Spaces spaces;
  const auto refused = spaces.pod("open", kPrivileged);
  CHECK(refused.status == 403);
  CHECK(
      refused.body["message"].str() ==
      R"text(pods "x" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true))text");
  CHECK(refused.body["reason"].str() == "Forbidden");
  CHECK(Spaces::warnings(refused).empty());
  CHECK(spaces.rig.ask("GET", "/api/v1/namespaces/open/pods/x").status == 404);
  CHECK(spaces.pod("open", kPlain).status == 201);
}

TEST_CASE(
    "a namespace labelled privileged takes every pod, a restricted one only those that ask for nothing") {
  Spaces spaces;
  spaces.make("free", std::string(kEnforce) + R"("privileged")");
  const auto made = spaces.pod("free", kPrivileged);
  CHECK(made.status == 201);
  CHECK(Spaces::warnings(made).empty());
  spaces.make("strict",
              std::string(kEnforce) + R"("restricted","pod-security.kubernetes.io/enforce-version":"v1.25")");
  const auto refused = spaces.pod("strict", kPlain);
  CHECK(refused.status == 403);
  CHECK(refused.body["message"].str().starts_with(
      R"(pods "p" is forbidden: violates PodSecurity "restricted:v1.25": allowPrivilegeEscalation != false)"));
  CHECK(spaces
            .pod("strict", R"({"metadata":{"name":"ok"},"spec":{
    "securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
    "containers":[{"name":"c","image":"i","securityContext":{
      "allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}})")
            .status == 201);
}

TEST_CASE("a warning tells of what a stricter level would refuse, once") {
  Spaces spaces;
  spaces.make("w", R"("pod-security.kubernetes.io/warn":"restricted")");
  const auto made = spaces.pod("w", kPlain);
  CHECK(made.status == 201);
  REQUIRE(Spaces::warnings(made).size() == 1);
  CHECK(Spaces::warnings(made)[0].find(R"(would violate PodSecurity \"restricted:latest\": )") !=
        std::string::npos);
  // Only what could change its rights is looked at again.
  CHECK(
      Spaces::warnings(spaces.rig.ask("PATCH", "/api/v1/namespaces/w/pods/p",
                                      R"({"metadata":{"labels":{"a":"b"}}})", "application/merge-patch+json"))
          .empty());
  CHECK(Spaces::warnings(spaces.rig.ask("PATCH", "/api/v1/namespaces/w/pods/p",
                                        R"({"spec":{"containers":[{"name":"c","image":"other"}]}})",
                                        "application/strategic-merge-patch+json"))
            .size() == 1);
}

TEST_CASE("what makes pods is stored with a warning") {
  Spaces spaces;
  const std::string made = R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"hostNetwork":true,
    "containers":[{"name":"c","image":"i"}]}}}})";
  for (const char* plural : {"deployments", "replicasets"}) {
    const auto answer = spaces.rig.ask("POST", std::string("/apis/apps/v1/namespaces/open/") + plural, made);
    CHECK(answer.status == 201);
    REQUIRE(Spaces::warnings(answer).size() == 1);
    CHECK(
        Spaces::warnings(answer)[0] ==
        R"text(299 - "would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)")text");
  }
  const auto scaled = spaces.rig.ask("PATCH", "/apis/apps/v1/namespaces/open/deployments/d/scale",
                                     R"({"spec":{"replicas":2}})", "application/merge-patch+json");
  CHECK(scaled.status == 200);
  CHECK(Spaces::warnings(scaled).empty());
}

TEST_CASE("labels that are no level are refused") {
  Spaces spaces;
  const auto refused = spaces.make("bad", std::string(kEnforce) + R"("high")");
  CHECK(refused.status == 422);
  CHECK(
      refused.body["message"].str() ==
      R"(Namespace "bad" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "high": must be one of privileged, baseline, restricted)");
  CHECK(spaces.label("open", R"("pod-security.kubernetes.io/warn-version":"1.2")").status == 422);
  CHECK(spaces.label("open", R"("pod-security.kubernetes.io/warn-version":"v1.2")").status == 200);
}

TEST_CASE("who raises a namespace's level is told which pods break it") {
  Spaces spaces;
  spaces.make("free", std::string(kEnforce) + R"("privileged")");
  for (const char* name : {"b", "a", "c"}) {
    std::string body = kPrivileged;
    body.replace(body.find("\"x\""), 3, "\"" + std::string(name) + "\"");
    REQUIRE(spaces.pod("free", body).status == 201);
  }
  REQUIRE(spaces.pod("free", kPlain).status == 201);
  const auto raised = spaces.label("free", std::string(kEnforce) + R"("baseline")");
  CHECK(raised.status == 200);
  CHECK(
      Spaces::warnings(raised) ==
      std::vector<std::string>{
          R"text(299 - "existing pods in namespace \"free\" violate the new PodSecurity enforce level \"baseline:latest\"")text",
          R"text(299 - "a (and 2 other pods): privileged")text"});
  CHECK(Spaces::warnings(spaces.label("free", std::string(kEnforce) + R"("privileged")")).empty());
}

TEST_CASE("a kube-system that an older version made gets its level with the next start") {
  ServerRig rig;
  const std::string path = "/api/v1/namespaces/kube-system", level = "pod-security.kubernetes.io/enforce";
  rig.ask("PATCH", path, R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":null,"mine":"x"}}})",
          "application/merge-patch+json");
  REQUIRE_FALSE(rig.ask("GET", path).body["metadata"]["labels"].contains(level));
  rig.start_again();
  CHECK(rig.ask("GET", path).body["metadata"]["labels"][level].str() == "privileged");
  CHECK(rig.ask("GET", path).body["metadata"]["labels"]["mine"].str() == "x");
  rig.ask("PATCH", path, R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}})",
          "application/merge-patch+json");
  rig.start_again();
  CHECK(rig.ask("GET", path).body["metadata"]["labels"][level].str() == "baseline");
}

}  // namespace skiff::kube
