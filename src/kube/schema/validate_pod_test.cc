// What of pods is refused, as upstream refuses it.
#include <doctest/doctest.h>

#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

struct Case {
  const char* given;
  const char* error;  // "" for none
};

Value parse(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

std::string errors_of(Value object, const Value* old = nullptr) {
  static const Registry registry;
  const auto kind = registry.find("", "v1", "pods");
  apply_defaults(*kind, object);
  std::string out;
  for (const auto& error : validate(*kind, object, old))
    out += (out.empty() ? "" : "\n") + error.field + ": " + error.message;
  return out;
}

Value plain_pod() {
  return parse(
      R"({"metadata":{"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i"}]}})");
}

void add_all(Value& into, std::string_view given) {
  const Value members = parse(given);
  for (const auto& [name, value] : members.members()) into.set(name, value);
}

// The cases give members of the spec.
void check_specs(std::initializer_list<Case> cases) {
  for (const auto& one : cases) {
    CAPTURE(one.given);
    Value object = plain_pod();
    add_all(object.edit("spec"), one.given);
    CHECK(errors_of(object) == one.error);
  }
}

// The cases give members of the container, and errors below its path.
void check_containers(std::initializer_list<Case> cases) {
  for (const auto& one : cases) {
    CAPTURE(one.given);
    Value object = plain_pod();
    add_all(object.edit("spec").edit("containers").edit_at(0), one.given);
    const std::string error = one.error;
    CHECK(errors_of(object) == (error.empty() ? "" : "spec.containers[0]." + error));
  }
}

TEST_CASE("what a pod says of its host and names is well formed") {
  check_specs({
      {R"({"hostname":"web-1","subdomain":"web","os":{"name":"linux"},"preemptionPolicy":"Never"})", ""},
      {R"({"hostAliases":[{"ip":"10.0.0.1","hostnames":["a.b"]}]})", ""},
      {R"({"hostAliases":[{"ip":"x"}]})",
       "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
       "2001:db8::ffff)"},
      {R"({"dnsConfig":{"nameservers":["10.0.0.1"],"searches":["a.b."],"options":[{"name":"ndots","value":"2"}]}})",
       ""},
      {R"({"dnsConfig":{"nameservers":["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]}})",
       "spec.dnsConfig.nameservers: Invalid value: []string{\"1.1.1.1\", \"1.1.1.2\", \"1.1.1.3\", "
       "\"1.1.1.4\"}: "
       "must not have more than 3 nameservers"},
      {R"({"dnsConfig":{"nameservers":["x"],"options":[{"value":"2"}]}})",
       "spec.dnsConfig.nameservers[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or "
       "2001:db8::ffff)\nspec.dnsConfig.options[0]: Required value: must not be empty"},
      {R"({"schedulingGates":[{"name":"a"},{"name":"a"}]})",
       "spec.schedulingGates[1]: Duplicate value: \"a\""},
      {R"({"schedulingGates":[{"name":"a"}],"nodeName":"n"})",
       "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"},
      {R"({"os":{"name":"beos"}})",
       "spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\""},
      {R"({"preemptionPolicy":"x"})",
       "spec.preemptionPolicy: Unsupported value: \"x\": supported values: \"Never\", "
       "\"PreemptLowerPriority\""},
      {R"({"ephemeralContainers":[{"name":"e","image":"i"}]})",
       "spec.ephemeralContainers: Forbidden: cannot be set on create"},
      {R"({"tolerations":[{"key":"a","operator":"Exists","effect":"NoSchedule","tolerationSeconds":5}]})",
       "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
       "`tolerationSeconds` is set"},
  });
  Value object = plain_pod();
  object.edit("spec").set("hostname", "A_b");
  CHECK(errors_of(object).starts_with("spec.hostname: Invalid value: \"A_b\": a lowercase RFC 1123 label"));
}

TEST_CASE("pods are spread by constraints that can be met") {
  check_specs({
      {R"({"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule",
           "minDomains":2,"labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["k"]}]})",
       ""},
      {R"({"topologySpreadConstraints":[{"maxSkew":0,"whenUnsatisfiable":"x"}]})",
       "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero\n"
       "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty\n"
       "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"x\": supported values: "
       "\"DoNotSchedule\", \"ScheduleAnyway\""},
      {R"({"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","minDomains":1,
           "matchLabelKeys":["k"]}]})",
       "spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if "
       "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway\n"
       "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when "
       "labelSelector is "
       "not set"},
      {R"({"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway"},
           {"maxSkew":2,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway"}]})",
       "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, "
       "ScheduleAnyway}\""},
  });
}

TEST_CASE("security contexts name ids and profiles that there are") {
  check_specs({
      {R"({"securityContext":{"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"},
           "sysctls":[{"name":"net.core.somaxconn","value":"1"}]}})",
       ""},
      {R"({"securityContext":{"runAsUser":-1}})",
       "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"},
      {R"({"securityContext":{"fsGroupChangePolicy":"x"}})",
       "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"x\": supported values: \"Always\", "
       "\"OnRootMismatch\""},
      {R"({"securityContext":{"sysctls":[{"name":"A b"}]}})",
       "spec.securityContext.sysctls[0].name: Invalid value: \"A b\": must have at most 253 characters and "
       "match "
       "regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"},
  });
  check_containers({
      {R"({"securityContext":{"seccompProfile":{"type":"Localhost"}}})",
       "securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
       "Localhost"},
      {R"({"securityContext":{"appArmorProfile":{"type":"x"}}})",
       "securityContext.appArmorProfile.type: Unsupported value: \"x\": supported values: \"Localhost\", "
       "\"RuntimeDefault\", \"Unconfined\""},
      {R"({"securityContext":{"privileged":true,"allowPrivilegeEscalation":false}})",
       "securityContext: Invalid value: {\"privileged\":true,\"allowPrivilegeEscalation\":false}: cannot set "
       "`allowPrivilegeEscalation` to false and `privileged` to true"},
  });
}

TEST_CASE("variables come from one source each") {
  check_containers({
      {R"({"env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}],
           "envFrom":[{"configMapRef":{"name":"m"},"prefix":"P_"}]})",
       ""},
      {R"({"envFrom":[{}]})",
       "envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
      {R"({"envFrom":[{"secretRef":{}}]})", "envFrom[0].secretRef.name: Required value"},
      {R"({"env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"x"}}}]})",
       "env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"x\": supported values: "
       "\"limits.cpu\", "
       "\"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", "
       "\"requests.memory\""},
      {R"({"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"},"configMapKeyRef":{"name":"m","key":"k"}}}]})",
       "env[0].valueFrom: Invalid value: \"\": may not have more than one field specified at a time"},
  });
}

TEST_CASE("probes and hooks ask what can be asked") {
  check_containers({
      {R"({"livenessProbe":{"httpGet":{"port":"http"}},"readinessProbe":{"grpc":{"port":1}},
           "lifecycle":{"preStop":{"exec":{"command":["x"]}}}})",
       ""},
      {R"({"livenessProbe":{"tcpSocket":{"port":0}}})",
       "livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and 65535, inclusive"},
      {R"({"readinessProbe":{"exec":{}}})", "readinessProbe.exec.command: Required value"},
      {R"({"readinessProbe":{"httpGet":{"port":80,"scheme":"x"}}})",
       "readinessProbe.httpGet.scheme: Unsupported value: \"x\": supported values: \"HTTP\", \"HTTPS\""},
      {R"({"readinessProbe":{"httpGet":{"port":80,"httpHeaders":[{"name":"a b","value":"c"}]}}})",
       "readinessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of "
       "alphanumeric "
       "characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"},
      {R"({"lifecycle":{"postStart":{}}})",
       "lifecycle.postStart: Required value: must specify a handler type"},
  });
}

TEST_CASE("containers take what can be given") {
  check_containers({
      {R"({"resources":{"limits":{"a.io/gpu":"1","hugepages-2Mi":"2Mi","cpu":"1"}}})", ""},
      {R"({"restartPolicy":"Always"})", "restartPolicy: Forbidden: may not be set for non-init containers"},
      {R"({"terminationMessagePolicy":"x"})",
       "terminationMessagePolicy: Unsupported value: \"x\": supported values: \"File\", "
       "\"FallbackToLogsOnError\""},
      {R"({"ports":[{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":80}]})",
       "ports[1].hostPort: Duplicate value: \"TCP//80\""},
      {R"({"resources":{"requests":{"a.io/gpu":"1"},"limits":{"a.io/gpu":"2"}}})",
       "resources.requests: Invalid value: \"1\": must be equal to a.io/gpu limit of 2"},
      {R"({"resources":{"requests":{"a.io/gpu":"1"}}})",
       "resources.limits: Required value: Limit must be set for non overcommitable resources"},
      {R"({"resources":{"limits":{"hugepages-2Mi":"2Mi"}}})",
       "resources: Forbidden: HugePages require cpu or memory"},
  });
  check_specs({
      {R"({"initContainers":[{"name":"i","image":"i","restartPolicy":"Never"}]})",
       "spec.initContainers[0].restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""},
      {R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"i","volumeMounts":[
           {"name":"v","mountPath":"/v","mountPropagation":"Bidirectional","recursiveReadOnly":"Enabled"}]}]})",
       "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is "
       "available "
       "only to privileged containers\n"
       "spec.containers[0].volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly "
       "is true\n"
       "spec.containers[0].volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when "
       "mountPropagation "
       "is None or not specified"},
  });
}

TEST_CASE("volumes say what they are made of") {
  check_specs({
      {R"({"volumes":[{"name":"v","persistentVolumeClaim":{}}]})",
       "spec.volumes[0].persistentVolumeClaim.claimName: Required value"},
      {R"({"volumes":[{"name":"v","csi":{}}]})", "spec.volumes[0].csi.driver: Required value"},
      {R"({"volumes":[{"name":"v","ephemeral":{}}]})",
       "spec.volumes[0].ephemeral.volumeClaimTemplate: Required value"},
      {R"({"volumes":[{"name":"v","emptyDir":{"sizeLimit":"-1"}}]})",
       "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"},
      {R"({"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"p","fieldRef":{"fieldPath":"status.podIP"}}]}}]})",
       "spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: \"status.podIP\": supported "
       "values: "
       "\"metadata.annotations\", \"metadata.labels\", \"metadata.name\", \"metadata.namespace\", "
       "\"metadata.uid\""},
      {R"({"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"p","resourceFieldRef":{"resource":"limits.cpu"}}]}}]})",
       "spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value"},
  });
}

TEST_CASE("a pod that was stored before a rule was made still tells its status") {
  Value object = plain_pod();
  object.edit("spec").set("hostname", "A_b");
  Value old = object;
  Registry registry;
  apply_defaults(*registry.find("", "v1", "pods"), old);
  object.edit("status").set("phase", "Running");
  CHECK(errors_of(object, &old) == "");
}

}  // namespace
}  // namespace skiff::kube
