// What writers of pods are told, field by field.
#include <doctest/doctest.h>

#include "kube/server/pod_warnings.h"
#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

struct Case {
  const char* pod;  // metadata and spec
  std::vector<std::string> says;
};

std::vector<std::string> warn(const char* pod, const std::string& at = "") {
  const auto value = json::parse(pod);
  REQUIRE(value);
  return pod_warnings(at, (*value)["metadata"], (*value)["spec"]);
}

}  // namespace

TEST_CASE("what has no effect or is written twice in a pod is told") {
  const Case cases[] = {
      {R"({"spec":{"containers":[{"name":"c"}]}})", {}},
      {R"({"spec":{"nodeSelector":{"beta.kubernetes.io/arch":"x"}}})",
       {R"(spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead)"}},
      {R"({"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{
        "nodeSelectorTerms":[{"matchExpressions":[{"key":"beta.kubernetes.io/os","operator":"Exists"}]}]}}}}})",
       {R"(spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead)"}},
      {R"({"spec":{"topologySpreadConstraints":[{"topologyKey":"failure-domain.beta.kubernetes.io/zone"}]}})",
       {R"(spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead)",
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"}},
      {R"({"metadata":{"annotations":{"scheduler.alpha.kubernetes.io/critical-pod":""}},"spec":{}})",
       {R"(metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead)"}},
      {R"({"metadata":{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"x",
        "container.seccomp.security.alpha.kubernetes.io/c":"x",
        "container.apparmor.security.beta.kubernetes.io/c":"x"}},"spec":{"containers":[{"name":"c"}]}})",
       {R"(metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead)",
        R"(metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional in v1.27+; use the "seccompProfile" field instead)",
        R"(metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead)"}},
      {R"({"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"localhost/p"}},"spec":{
        "securityContext":{"appArmorProfile":{"type":"Localhost","localhostProfile":"p"}},"containers":[{"name":"c"}]}})",
       {}},
      {R"({"spec":{"volumes":[{"name":"v","configMap":{"name":"m","items":[{"key":"a","path":"p"},{"key":"b","path":"p/q"},
        {"key":"c","path":"pq"}]}}]}})",
       {R"(volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p")"}},
      {R"({"spec":{"volumes":[{"name":"v","projected":{"sources":[{},{"secret":{"name":"s","items":[{"path":"d/"}]}},
        {"downwardAPI":{"items":[{"path":"d"}]}}]}}]}})",
       {R"(volume "v" (Projected) has no sources provided)",
        R"(volume "v" (Projected): overlapping paths: "d" (DownwardAPI) with "d" (Secret "s"))"}},
      {R"({"spec":{"volumes":[{"name":"g","gitRepo":{}},{"name":"s","storageos":{}}]}})",
       {"spec.volumes[0].gitRepo: deprecated in v1.11",
        "spec.volumes[1].storageOS: deprecated in v1.22, non-functional in v1.25+"}},
      {R"({"spec":{"volumes":[{"projected":{"sources":[{"serviceAccountToken":{"path":"t"}},
        {"secret":{"items":[{"path":"t"}]}}]}}]}})",
       {R"(spec.volumes[0].projected.sources.secrets[0]: has duplicated path with ServiceAccountToken "t")",
        R"(volume "" (Projected): overlapping paths: "t" (Secret "") with "t" (ServiceAccountToken))"}},
      {R"({"spec":{"hostAliases":[{"ip":"1.1.1.1"},{"ip":"1.1.1.1"}],"imagePullSecrets":[{"name":"a"},{"name":"a"},{}]}})",
       {R"(spec.hostAliases[1].ip: duplicate ip "1.1.1.1")",
        R"(spec.imagePullSecrets[1].name: duplicate name "a")",
        R"(spec.imagePullSecrets[2].name: invalid empty name "")"}},
      {R"({"spec":{"containers":[{"resources":{"limits":{"memory":"0.5","cpu":"0.5"},"requests":{"memory":"1Gi"}}}]}})",
       {R"(spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer)"}},
      {R"j({"spec":{"initContainers":[{"env":[{"name":"A","value":"1"},{"name":"A","value":"$(A)2"},
        {"name":"A","value":"3"},{"name":"A","value":"$(A)"},{"name":"A","valueFrom":{}}]}]}})j",
       {R"(spec.initContainers[0].env[2]: hides previous definition of "A", which may be dropped when using apply)",
        R"(spec.initContainers[0].env[3]: hides previous definition of "A", which may be dropped when using apply)",
        R"(spec.initContainers[0].env[4]: hides previous definition of "A", which may be dropped when using apply)"}},
      {R"({"spec":{"containers":[{"ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP"}]},
        {"ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP","hostPort":80}]}]}})",
       {"spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.containers[1].ports[1]: overlapping port definition with spec.containers[0].ports[1]"}},
      {R"({"spec":{"containers":[{"ports":[{"containerPort":80,"hostPort":80},
        {"containerPort":80,"hostPort":80,"hostIP":"1.1.1.1"},{"containerPort":1,"protocol":"TCP","hostIP":"1.1.1.1"}]}]}})",
       {"spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
        "spec.containers[0].ports[2]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:1 "
        "Protocol:TCP "
        "HostIP:1.1.1.1}"}},
      {R"({"spec":{"terminationGracePeriodSeconds":-1}})",
       {"spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated "
        "as 1"}},
      {R"({"spec":{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{}]},
        "podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"podAffinityTerm":{}}]}}}})",
       {"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null "
        "labelSelector results in matching no pod",
        "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm."
        "labelSelector: a null labelSelector results in matching no pod"}},
  };
  for (const auto& [pod, says] : cases) {
    CAPTURE(pod);
    CHECK(warn(pod) == says);
  }
}

TEST_CASE("a template's warnings name its place") {
  CHECK(
      warn(R"({"metadata":{"annotations":{"security.alpha.kubernetes.io/sysctls":""}},
    "spec":{"terminationGracePeriodSeconds":-1}})",
           "spec.template") ==
      std::vector<std::string>{
          R"(spec.template.metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead)",
          "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and "
          "will be treated as 1"});
}

TEST_CASE("warnings come with the answer to a create, and to a change of a template alone") {
  ServerRig rig;
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  const std::string spec = R"({"containers":[{"name":"c","image":"i","env":[{"name":"A"},{"name":"A"}]}]})";
  const auto pod =
      rig.ask("POST", "/api/v1/namespaces/default/pods", R"({"metadata":{"name":"p"},"spec":)" + spec + "}");
  CHECK(pod.status == 201);
  const std::string words =
      R"(299 - "spec.containers[0].env[1]: hides previous definition of \"A\", which may be )"
      R"(dropped when using apply")";
  CHECK(pod.headers.get("Warning") == words);
  const auto labelled = rig.ask("PATCH", "/api/v1/namespaces/default/pods/p",
                                R"({"metadata":{"labels":{"a":"b"}}})", "application/merge-patch+json");
  CHECK(labelled.status == 200);
  CHECK_FALSE(labelled.headers.find("Warning"));
  const std::string deployments = "/apis/apps/v1/namespaces/default/deployments";
  const auto made = rig.ask("POST", deployments,
                            R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":)" +
                                spec + "}}}");
  CHECK(made.headers.get("Warning").find("spec.template.spec.containers[0].env[1]: ") !=
        std::string_view::npos);
  CHECK_FALSE(
      rig.ask("PATCH", deployments + "/d", R"({"spec":{"replicas":2}})", "application/merge-patch+json")
          .headers.find("Warning"));
}

}  // namespace skiff::kube
