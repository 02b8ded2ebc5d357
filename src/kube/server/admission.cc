#include "kube/server/admission.h"

#include "base/strings.h"
#include "kube/schema/quality_of_service.h"
#include "kube/server/definition_status.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr int kTokenLifetime = 3607;  // seconds, as upstream: an hour and a mark to recognize it by
constexpr int kProjectedMode = 0644;
constexpr int kTolerationSeconds = 300;
constexpr std::string_view kTokenMount = "/var/run/secrets/kubernetes.io/serviceaccount";

json::Value object(std::initializer_list<json::Member> members) {
  return json::Value::object(members);
}

bool is_core(const Kind& kind, std::string_view name) {
  return kind.group.empty() && kind.kind == name;
}

json::Value token_volume(const std::string& name) {
  const json::Value token =
      object({{"serviceAccountToken", object({{"expirationSeconds", kTokenLifetime}, {"path", "token"}})}});
  const json::Value authority =
      object({{"configMap",
               object({{"name", "kube-root-ca.crt"},
                       {"items", json::Value::array({object({{"key", "ca.crt"}, {"path", "ca.crt"}})})}})}});
  const json::Value field = object({{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}});
  const json::Value name_space = object(
      {{"downwardAPI",
        object({{"items", json::Value::array({object({{"path", "namespace"}, {"fieldRef", field}})})}})}});
  return object({{"name", name},
                 {"projected", object({{"sources", json::Value::array({token, authority, name_space})},
                                       {"defaultMode", kProjectedMode}})}});
}

void mount_token(json::Value& spec, const char* list, const std::string& volume) {
  if (!spec[list].is_array()) return;
  for (auto& container : spec.edit(list).edit_items()) {
    bool mounted = false;
    for (const auto& mount : container["volumeMounts"].items())
      mounted |= mount["mountPath"].str() == kTokenMount;
    if (mounted) continue;
    container.edit("volumeMounts")
        .push_back(object({{"name", volume}, {"readOnly", true}, {"mountPath", kTokenMount}}));
  }
}

void tolerate(json::Value& spec, const char* key) {
  for (const auto& toleration : spec["tolerations"].items()) {
    const std::string& effect = toleration["effect"].str();
    const std::string& has = toleration["key"].str();
    if ((has == key || has.empty()) && (effect.empty() || effect == "NoExecute")) return;
  }
  spec.edit("tolerations")
      .push_back(object({{"key", key},
                         {"operator", "Exists"},
                         {"effect", "NoExecute"},
                         {"tolerationSeconds", kTolerationSeconds}}));
}

// Only the classes that every cluster has.
std::optional<int64_t> priority_of(std::string_view priority_class) {
  constexpr int64_t kSystemNode = 2000001000, kSystemCluster = 2000000000;
  if (priority_class.empty()) return 0;
  if (priority_class == "system-node-critical") return kSystemNode;
  if (priority_class == "system-cluster-critical") return kSystemCluster;
  return std::nullopt;
}

json::Value gated_condition() {
  return object({{"type", "PodScheduled"},
                 {"status", "False"},
                 {"lastProbeTime", nullptr},
                 {"lastTransitionTime", nullptr},
                 {"reason", "SchedulingGated"},
                 {"message", "Scheduling is blocked due to non-empty scheduling gates"}});
}

// Beside those that the creator gives.
void add_own_finalizer(json::Value& spec) {
  for (const auto& finalizer : spec["finalizers"].items()) {
    if (finalizer.str() == "kubernetes") return;
  }
  spec.edit("finalizers").push_back("kubernetes");
}

void encode_string_data(json::Value& secret) {
  const json::Value plain = secret["stringData"];
  for (const auto& [key, value] : plain.members()) secret.edit("data").set(key, base64_encode(value.str()));
  secret.erase("stringData");
}

}  // namespace

Result<void> Admission::check_namespace(const Target& target, const json::Value& made) {
  const Kind& kind = *target.kind;
  if (!kind.namespaced) return {};
  const json::Value home = objects_.find({objects_.kind("", "namespaces"), "", target.name_space});
  if (home.is_null()) return std::unexpected(not_found("", "namespaces", target.name_space));
  if (home["metadata"]["deletionTimestamp"].is_null()) return {};
  const Error plain = forbidden(
      kind.group, kind.plural, made["metadata"]["name"].str(),
      "unable to create new content in namespace " + target.name_space + " because it is being terminated");
  json::Value status = answer_of(plain).status;
  status.edit("details").edit("causes").push_back(
      object({{"reason", "NamespaceTerminating"},
              {"message", "namespace " + target.name_space + " is being terminated"},
              {"field", "metadata.namespace"}}));
  return std::unexpected(make_status_error(403, "Forbidden", plain.message, status["details"]));
}

Result<void> Admission::admit_create(const Target& target, json::Value& made) {
  SKIFF_RETURN_IF_ERROR(check_namespace(target, made));
  const Kind& kind = *target.kind;
  if (is_core(kind, "Namespace")) {
    made.edit("metadata").edit("labels").set("kubernetes.io/metadata.name", made["metadata"]["name"]);
    add_own_finalizer(made.edit("spec"));
    made.set("status", object({{"phase", "Active"}}));
  }
  if (is_definition(kind)) set_definition_status(made, {});
  if (is_core(kind, "Secret")) encode_string_data(made);
  if (is_core(kind, "Pod")) return admit_pod(target, made);
  if (is_core(kind, "Service")) return admit_service(nullptr, made);
  return {};
}

Result<void> Admission::admit_update(const Target& target, const json::Value& before, json::Value& made) {
  const Kind& kind = *target.kind;
  if (is_definition(kind)) set_definition_status(made, before);
  if (is_core(kind, "Secret")) encode_string_data(made);
  if (is_core(kind, "Namespace")) {
    made.edit("metadata").edit("labels").set("kubernetes.io/metadata.name", made["metadata"]["name"]);
    // Only /finalize takes these away.
    made.edit("spec").set("finalizers", before["spec"]["finalizers"]);
  }
  if (is_core(kind, "Service")) return admit_service(&before, made);
  return {};
}

void Admission::set_definition_status(json::Value& made, const json::Value& before) {
  made.set("status", definition_status(made, before, objects_.registry(), objects_.loop().wall_now()));
}

Result<void> Admission::admit_pod(const Target& target, json::Value& pod) {
  json::Value& spec = pod.edit("spec");
  const std::string& pod_name = pod["metadata"]["name"].str();
  const auto priority = priority_of(spec["priorityClassName"].str());
  if (!priority) {
    return std::unexpected(
        forbidden("", "pods", pod_name,
                  "no PriorityClass with name " + spec["priorityClassName"].str() + " was found"));
  }
  if (const auto& runtime = spec["runtimeClassName"].str(); !runtime.empty()) {
    return std::unexpected(forbidden("", "pods", pod_name,
                                     "pod rejected: RuntimeClass " + json::encode(runtime) + " not found"));
  }
  if (spec["serviceAccountName"].str().empty()) spec.set("serviceAccountName", "default");
  const std::string account = spec["serviceAccountName"].str();
  spec.set("serviceAccount", account);
  const json::Value found = objects_.find({objects_.kind("", "serviceaccounts"), target.name_space, account});
  if (found.is_null()) {
    return std::unexpected(forbidden("", "pods", pod["metadata"]["name"].str(),
                                     "error looking up service account " + target.name_space + "/" + account +
                                         ": serviceaccount \"" + account + "\" not found"));
  }
  const bool wants_token = spec["automountServiceAccountToken"].is_null()
                               ? found["automountServiceAccountToken"].as_bool(true)
                               : spec["automountServiceAccountToken"].as_bool(true);
  if (wants_token) {
    const std::string volume = "kube-api-access-" + make_name_suffix(objects_.loop().random());
    spec.edit("volumes").push_back(token_volume(volume));
    mount_token(spec, "initContainers", volume);
    mount_token(spec, "containers", volume);
  }
  if (spec["imagePullSecrets"].empty() && !found["imagePullSecrets"].empty()) {
    spec.set("imagePullSecrets", found["imagePullSecrets"]);
  }
  tolerate(spec, "node.kubernetes.io/not-ready");
  tolerate(spec, "node.kubernetes.io/unreachable");
  if (spec["priority"].is_null()) spec.set("priority", *priority);
  if (spec["preemptionPolicy"].is_null()) spec.set("preemptionPolicy", "PreemptLowerPriority");
  pod.set("status", object({{"phase", "Pending"}, {"qosClass", quality_of_service(spec)}}));
  if (!spec["schedulingGates"].empty()) {
    pod.edit("status").set("conditions", json::Value::array({gated_condition()}));
  }
  return {};
}

}  // namespace skiff::kube
