#include "control/entrance/plan.h"

#include "kube/schema/names.h"

namespace skiff::control {

namespace {

Value point_of(const std::string& entrance) {
  return Value::object({{kube::is_ip(entrance) ? "ip" : "hostname", entrance}});
}

void say(const std::string& path, const Value& object, Value points, Plan& plan) {
  if (object["status"]["loadBalancer"]["ingress"] == points) return;
  Value balancer = Value::object({{"ingress", std::move(points)}});
  plan.actions.push_back(merge_patch(
      path + "/status", Value::object({{"status", Value::object({{"loadBalancer", std::move(balancer)}})}})));
}

}  // namespace

Plan plan_ingress_entrance(const Value& ingress, const std::string& entrance) {
  Plan plan;
  if (ingress.is_null() || is_deleting(ingress)) return plan;
  say(path_of("/apis/networking.k8s.io/v1", "ingresses", namespace_of(ingress), name_of(ingress)), ingress,
      Value::array({point_of(entrance)}), plan);
  return plan;
}

Plan plan_service_entrance(const Value& service, const std::string& entrance) {
  Plan plan;
  if (service.is_null() || is_deleting(service)) return plan;
  const auto& spec = service["spec"];
  // A class of its own names another that does it.
  if (!spec["loadBalancerClass"].empty()) return plan;
  Value points;
  if (spec["type"].str() == "LoadBalancer") {
    Value point = point_of(entrance);
    if (!point["ip"].empty()) point.set("ipMode", "VIP");
    points = Value::array({std::move(point)});
  }
  say(path_of("/api/v1", "services", namespace_of(service), name_of(service)), service, std::move(points),
      plan);
  return plan;
}

}  // namespace skiff::control
