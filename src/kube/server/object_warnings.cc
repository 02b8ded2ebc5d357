// Which objects are warned about, and what is said of those that make no pods.
#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/server/pod_template.h"
#include "kube/server/pod_warnings.h"

namespace skiff::kube {

namespace {

using json::Value;
using Warnings = std::vector<std::string>;

// The names of pods are the names of hosts.
void check_host_name(const Value& object, std::string_view use, Warnings& out) {
  const auto& name = object["metadata"]["name"].str();
  if (const auto wrong = check_dns_label(name); !wrong.empty()) {
    std::string list;
    for (const auto& detail : wrong) list += (list.empty() ? "" : " ") + detail;
    out.push_back(fmt::format(
        "metadata.name: this is used in {}, which can result in surprising behavior; a DNS label is "
        "recommended: [{}]",
        use, list));
  }
}

void check_service(const Value& service, Warnings& out) {
  const auto& spec = service["spec"];
  const auto& type = spec["type"].str();
  const bool headless = type == "ClusterIP" && spec["clusterIP"].str() == "None";
  if (service["metadata"]["annotations"].contains("service.kubernetes.io/topology-aware-hints")) {
    out.push_back(
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
        "service.kubernetes.io/topology-mode instead");
  }
  if (headless && !spec["loadBalancerIP"].empty())
    out.push_back("spec.loadBalancerIP is ignored for headless services");
  if (headless && !spec["externalIPs"].empty())
    out.push_back("spec.externalIPs is ignored for headless services");
  if (headless && spec["sessionAffinity"].str() != "None")
    out.push_back("spec.SessionAffinity is ignored for headless services");
  if (type == "ExternalName" && !spec["externalIPs"].empty())
    out.push_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  if (type != "ExternalName" && !spec["externalName"].empty())
    out.push_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

void check_ingress(const Value& ingress, Warnings& out) {
  if (ingress["spec"]["ingressClassName"].is_null() &&
      ingress["metadata"]["annotations"].contains("kubernetes.io/ingress.class")) {
    out.push_back(
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' "
        "instead");
  }
}

void check_template(const Kind& kind, const Value& object, const Value* before, Warnings& out) {
  const auto [path, made] = pod_template(kind, object);
  if (!made) return;
  if (before) {
    const auto former = pod_template(kind, *before);
    if (former.value && *former.value == *made) return;
  }
  for (auto& text : pod_warnings(path, (*made)["metadata"], (*made)["spec"])) out.push_back(std::move(text));
}

}  // namespace

Warnings object_warnings(const Kind& kind, const Value& object, const Value* before) {
  Warnings out;
  const bool core = kind.group.empty(), apps = kind.group == "apps";
  const bool makes_pods = apps && (kind.plural == "deployments" || kind.plural == "replicasets");
  if (!before && makes_pods) check_host_name(object, "Pod names and hostnames", out);
  if (core && kind.plural == "pods") {
    if (before) return out;
    check_host_name(object, "the Pod's hostname", out);
    for (auto& text : pod_warnings("", object["metadata"], object["spec"])) out.push_back(std::move(text));
    return out;
  }
  if (core && kind.plural == "services") check_service(object, out);
  // An Ingress is told once.
  if (!before && kind.group == "networking.k8s.io" && kind.plural == "ingresses") check_ingress(object, out);
  check_template(kind, object, before, out);
  return out;
}

}  // namespace skiff::kube
