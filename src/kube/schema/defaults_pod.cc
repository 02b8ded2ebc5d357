#include "kube/schema/defaults.h"

#include <algorithm>
#include <array>
#include <string>

#include "kube/schema/quality_of_service.h"
#include "kube/schema/quantity.h"

namespace skiff::kube::defaults {
namespace {

using json::Value;

constexpr int kFileMode = 0644;
constexpr int kTokenSeconds = 3600;

// Calls for each item of a list member; an absent list stays absent.
template <typename Function>
void each(Value& object, std::string_view key, Function function) {
  if (object[key].empty()) return;
  for (auto& item : object.edit(key).edit_items()) function(item);
}

// Calls for a struct member when it is there.
template <typename Function>
void with(Value& object, std::string_view key, Function function) {
  if (object[key].is_object()) function(object.edit(key));
}

void field_ref(Value& source) {
  with(source, "fieldRef", [](Value& ref) { set_if_zero(ref, "apiVersion", "v1"); });
}

void http_get(Value& handler) {
  with(handler, "httpGet", [](Value& get) {
    set_if_zero(get, "path", "/");
    set_if_zero(get, "scheme", "HTTP");
  });
}

void probe(Value& probe) {
  set_if_zero(probe, "timeoutSeconds", 1);
  set_if_zero(probe, "periodSeconds", 10);
  set_if_zero(probe, "successThreshold", 1);
  set_if_zero(probe, "failureThreshold", 3);
  http_get(probe);
  with(probe, "grpc", [](Value& grpc) { set_if_absent(grpc, "service", ""); });
}

// Always for the tag "latest" or none, unless a digest fixes the image.
std::string_view pull_policy(std::string_view image) {
  if (image.contains('@')) return "IfNotPresent";
  auto name = image.substr(image.rfind('/') + 1);
  auto colon = name.find(':');
  return colon == std::string_view::npos || name.substr(colon + 1) == "latest" ? "Always" : "IfNotPresent";
}

void container(Value& container) {
  const auto image = container["image"].str();
  set_if_zero(container, "imagePullPolicy", pull_policy(image));
  set_if_zero(container, "terminationMessagePath", "/dev/termination-log");
  set_if_zero(container, "terminationMessagePolicy", "File");
  // Behind a feature gate that is off: upstream drops it.
  container.erase("resizePolicy");
  each(container, "ports", [](Value& port) { set_if_zero(port, "protocol", "TCP"); });
  each(container, "env", [](Value& env) { with(env, "valueFrom", field_ref); });
  for (auto name : {"livenessProbe", "readinessProbe", "startupProbe"}) with(container, name, probe);
  with(container, "lifecycle", [](Value& lifecycle) {
    with(lifecycle, "postStart", http_get);
    with(lifecycle, "preStop", http_get);
  });
}

void projected(Value& source) {
  set_if_absent(source, "defaultMode", kFileMode);
  each(source, "sources", [](Value& item) {
    with(item, "serviceAccountToken",
         [](Value& token) { set_if_absent(token, "expirationSeconds", kTokenSeconds); });
    with(item, "downwardAPI", [](Value& api) { each(api, "items", field_ref); });
  });
}

void storage_volumes(Value& volume) {
  with(volume, "iscsi", [](Value& iscsi) { set_if_zero(iscsi, "iscsiInterface", "default"); });
  with(volume, "rbd", [](Value& rbd) {
    set_if_zero(rbd, "pool", "rbd");
    set_if_zero(rbd, "user", "admin");
    set_if_zero(rbd, "keyring", "/etc/ceph/keyring");
  });
  with(volume, "azureDisk", [](Value& disk) {
    set_if_absent(disk, "cachingMode", "ReadWrite");
    set_if_absent(disk, "kind", "Shared");
    set_if_absent(disk, "fsType", "ext4");
    set_if_absent(disk, "readOnly", false);
  });
  with(volume, "scaleIO", [](Value& disk) {
    set_if_zero(disk, "storageMode", "ThinProvisioned");
    set_if_zero(disk, "fsType", "xfs");
  });
  with(volume, "ephemeral", [](Value& ephemeral) {
    with(ephemeral, "volumeClaimTemplate",
         [](Value& claim) { set_if_absent(claim.edit("spec"), "volumeMode", "Filesystem"); });
  });
}

void volume(Value& volume) {
  for (auto name : {"secret", "configMap", "downwardAPI"}) {
    with(volume, name, [](Value& source) { set_if_absent(source, "defaultMode", kFileMode); });
  }
  with(volume, "downwardAPI", [](Value& source) { each(source, "items", field_ref); });
  with(volume, "projected", projected);
  with(volume, "hostPath", [](Value& source) { set_if_absent(source, "type", ""); });
  storage_volumes(volume);
  if (volume.size() <= 1) volume.set("emptyDir", Value::object());
}

// A limit without a request is also the request.
void requests_from_limits(Value& container) {
  auto limits = container["resources"]["limits"];
  for (const auto& [name, limit] : limits.members()) {
    set_if_absent(container.edit("resources").edit("requests"), name, limit);
  }
}

void host_ports(Value& container) {
  each(container, "ports", [](Value& port) {
    auto number = port["containerPort"];
    set_if_zero(port, "hostPort", number);
  });
}

bool is_set(const Value& quantity) {
  auto parsed = parse_quantity(quantity.str());
  return parsed && parsed->nano != 0;
}

// The same amount, however it is written.
bool is_same(const Value& left, const Value& right) {
  const auto a = parse_quantity(left.str());
  const auto b = parse_quantity(right.str());
  return a && b && a->nano == b->nano;
}

// The old name of the field mirrors the new one.
void service_account(Value& spec) {
  const auto old_name = spec["serviceAccount"].str();
  if (!old_name.empty()) set_if_zero(spec, "serviceAccountName", old_name);
  const auto name = spec["serviceAccountName"].str();
  if (!name.empty()) spec.set("serviceAccount", name);
}

}  // namespace

void pod_spec(Value& spec, PodSpecOf of) {
  set_if_zero(spec, "restartPolicy", "Always");
  set_if_zero(spec, "dnsPolicy", "ClusterFirst");
  set_if_absent(spec, "terminationGracePeriodSeconds", 30);
  set_if_absent(spec, "securityContext", Value::object());
  set_if_zero(spec, "schedulerName", "default-scheduler");
  service_account(spec);
  each(spec, "volumes", volume);
  bool on_host = spec["hostNetwork"].as_bool();
  for (auto list : {"containers", "initContainers", "ephemeralContainers"}) {
    each(spec, list, [&](Value& item) {
      container(item);
      if (of == PodSpecOf::kPod) requests_from_limits(item);
      if (of == PodSpecOf::kPod && on_host) host_ports(item);
    });
  }
  if (of == PodSpecOf::kPod) set_if_absent(spec, "enableServiceLinks", true);
}

void pod(Value& pod) {
  pod_spec(pod.edit("spec"), PodSpecOf::kPod);
  auto& status = pod.edit("status");
  set_if_zero(status, "phase", "Pending");
  set_if_zero(status, "qosClass", quality_of_service(pod["spec"]));
}

}  // namespace skiff::kube::defaults

namespace skiff::kube {

std::string_view quality_of_service(const json::Value& spec) {
  bool any = false;
  bool guaranteed = true;
  for (auto list : {"containers", "initContainers"}) {
    for (const auto& container : spec[list].items()) {
      const auto& requests = container["resources"]["requests"];
      const auto& limits = container["resources"]["limits"];
      for (auto name : {"cpu", "memory"}) {
        any = any || defaults::is_set(requests[name]) || defaults::is_set(limits[name]);
        if (!defaults::is_set(limits[name]) || !defaults::is_same(requests[name], limits[name]))
          guaranteed = false;
      }
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace skiff::kube
