#include "platform/apps/manifests.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr const char* kEnforceLabel = "pod-security.kubernetes.io/enforce";
constexpr size_t kCommandIndex = 4;  // where the process type's command stands in the container's

// A dyno's first process: the kernel shields it from signals without a handler, so the app is never it. It
// reaps orphans, and passes SIGTERM to the app's processes, a group and session of their own: the dyno ends
// when the last of them has, with the status of the command. Who left for another session (nginx of a static
// site) gets SIGTERM after that. It keeps no variables of its own, since config vars may have their names.
//
// The command's shell first sources what buildpacks left for run time, then becomes the command. A dyno that
// starts before it has its name is called by the end of the pod's.
constexpr const char* kInitScript = R"sh(trap 'exit 143' TERM
/usr/bin/setsid /bin/bash -c '
cd /app
for f in .profile.d/*.sh; do [ -r "$f" ] && . "$f"; done
[ -r .profile ] && . ./.profile
export DYNO="${DYNO:-$2.${HOSTNAME##*-}}"
exec bash -c "$1"' skiff-start "$@" &
trap '{
  trap "" TERM
  kill -s TERM -- -$! || kill -s TERM $!
  wait $!
  set -- $?
  while kill -s 0 -- -$!; do /bin/sleep 0.1; done
  kill -s TERM -- -1
  while kill -s 0 -- -1; do /bin/sleep 0.1; done
  exit $1
} 2>/dev/null' TERM
wait $!
)sh";

Value metadata(const std::string& app, const std::string& name) {
  return Value::object({{"name", name}, {"namespace", app}, {"labels", Value::object({{kAppLabel, app}})}});
}

Value env_list(const std::string& type) {
  Value env = Value::array({
      Value::object({{"name", "HOME"}, {"value", "/app"}}),
      Value::object(
          {{"name", "DYNO"},
           {"valueFrom",
            Value::object(
                {{"fieldRef", Value::object({{"fieldPath", "metadata.annotations['skiff.dev/dyno']"}})}})}}),
  });
  if (type == "web") env.push_back(Value::object({{"name", "PORT"}, {"value", std::to_string(kWebPort)}}));
  return env;
}

Value tcp_probe(int period, int failures) {
  return Value::object({{"tcpSocket", Value::object({{"port", kWebPort}})},
                        {"periodSeconds", period},
                        {"failureThreshold", failures}});
}

// Kubernetes puts the value of NAME for $(NAME) in a container's command, and $ for $$: the shell should see
// the Procfile's text.
std::string escape_command(const std::string& command) {
  return replace_all(command, "$", "$$");
}

Value container(const ReleaseFacts& release, const std::string& type, const std::string& command) {
  Value out = Value::object({
      {"name", type},
      {"image", release.image},
      {"imagePullPolicy", "IfNotPresent"},
      {"command", Value::array({"/bin/sh", "-c", kInitScript, "skiff-init", escape_command(command), type})},
      {"workingDir", "/app"},
      {"securityContext", container_security()},
      {"env", env_list(type)},
      {"envFrom",
       Value::array({Value::object({{"secretRef", Value::object({{"name", release.config_secret}})}})})},
      {"resources",
       Value::object(
           {{"limits", Value::object({{"memory", fmt::format("{}Mi", kDynoMegabytes)},
                                      {"ephemeral-storage", fmt::format("{}Mi", kDynoDiskMegabytes)}})},
            {"requests", Value::object({{"memory", "64Mi"}, {"ephemeral-storage", "16Mi"}})}})},
  });
  if (type == "web") {
    out.set("ports", Value::array({Value::object({{"name", "web"}, {"containerPort", kWebPort}})}));
    Value boot = tcp_probe(1, kBootSeconds);
    boot.set("terminationGracePeriodSeconds", 1);
    out.set("startupProbe", std::move(boot));
    out.set("readinessProbe", tcp_probe(5, 2));
    Value drain = Value::object({{"sleep", Value::object({{"seconds", kDrainSeconds}})}});
    out.set("lifecycle", Value::object({{"preStop", std::move(drain)}}));
  }
  return out;
}

Value process_labels(const std::string& app, const std::string& type) {
  return Value::object({{kAppLabel, app}, {kProcessLabel, type}});
}

}  // namespace

std::string command_of(const Value& pod) {
  return replace_all(pod["spec"]["containers"].at(0)["command"].at(kCommandIndex).str(), "$$", "$");
}

Value namespace_manifest(const std::string& app) {
  const Value labels = Value::object({{kAppLabel, app}, {kEnforceLabel, "restricted"}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Namespace"},
                        {"metadata", Value::object({{"name", app},
                                                    {"labels", labels},
                                                    {"annotations", Value::object({{kAppLabel, app}})}})}});
}

Value builds_namespace_manifest() {
  const Value labels = Value::object({{kEnforceLabel, "privileged"}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Namespace"},
                        {"metadata", Value::object({{"name", kBuildsNamespace}, {"labels", labels}})}});
}

Value container_security() {
  return Value::object({{"allowPrivilegeEscalation", false},
                        {"capabilities", Value::object({{"drop", Value::array({"ALL"})}})}});
}

Value dyno_security() {
  return Value::object({{"runAsUser", kDynoUser},
                        {"runAsGroup", kDynoUser},
                        {"runAsNonRoot", true},
                        {"supplementalGroupsPolicy", "Strict"},  // a slug may bring an /etc/group
                        {"seccompProfile", Value::object({{"type", "RuntimeDefault"}})}});
}

Value config_secret_manifest(const std::string& app, int version, const Value& vars) {
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"metadata", metadata(app, fmt::format("config-v{}", version))},
                        {"immutable", true},
                        {"stringData", vars.is_object() ? vars : Value::object()}});
}

Value deployment_manifest(const ReleaseFacts& release, const std::string& type, const std::string& command,
                          int quantity) {
  const Value labels = process_labels(release.app, type);
  Value pod_labels = labels;
  pod_labels.set(kReleaseLabel, fmt::format("v{}", release.version));
  Value pod_spec = Value::object(
      {{"containers", Value::array({container(release, type, command)})},
       {"securityContext", dyno_security()},
       {"terminationGracePeriodSeconds", kStopGraceSeconds + (type == "web" ? kDrainSeconds : 0)},
       {"automountServiceAccountToken", false},
       {"enableServiceLinks", false}});
  Value deployment_metadata = metadata(release.app, type);
  deployment_metadata.set("labels", labels);
  return Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "Deployment"},
       {"metadata", deployment_metadata},
       {"spec",
        Value::object({{"replicas", quantity},
                       {"selector", Value::object({{"matchLabels", labels}})},
                       {"strategy", Value::object({{"type", "RollingUpdate"},
                                                   {"rollingUpdate", Value::object({{"maxUnavailable", 0},
                                                                                    {"maxSurge", "25%"}})}})},
                       {"minReadySeconds", kSettleSeconds},
                       {"progressDeadlineSeconds", kBootSeconds * 2},
                       {"template", Value::object({{"metadata", Value::object({{"labels", pod_labels}})},
                                                   {"spec", pod_spec}})}})}});
}

Value service_manifest(const std::string& app) {
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Service"},
       {"metadata", metadata(app, "web")},
       {"spec",
        Value::object({{"selector", process_labels(app, "web")},
                       {"ports", Value::array({Value::object(
                                     {{"name", "web"}, {"port", 80}, {"targetPort", kWebPort}})})}})}});
}

Value ingress_manifest(const RouteFacts& route) {
  Value backend = Value::object(
      {{"service", Value::object({{"name", "web"}, {"port", Value::object({{"name", "web"}})}})}});
  Value path = Value::object({{"path", "/"}, {"pathType", "Prefix"}, {"backend", backend}});
  Value rule = Value::object(
      {{"host", route.app + "." + route.domain}, {"http", Value::object({{"paths", Value::array({path})}})}});
  Value about = metadata(route.app, "web");
  about.set(
      "annotations",
      Value::object({{"skiff.dev/maintenance", route.maintenance == Maintenance::kOn ? "true" : "false"},
                     {"skiff.dev/blank", route.content == Content::kBlank ? "true" : "false"}}));
  return Value::object({{"apiVersion", "networking.k8s.io/v1"},
                        {"kind", "Ingress"},
                        {"metadata", std::move(about)},
                        {"spec", Value::object({{"rules", Value::array({rule})}})}});
}

}  // namespace skiff::platform
