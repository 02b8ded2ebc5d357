#include <fmt/core.h>

#include <array>

#include "base/strings.h"
#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kDeployment = std::to_array<Column>({{"Name", "string", "name"},
                                                          {"Ready"},
                                                          {"Up-to-date"},
                                                          {"Available"},
                                                          {"Age"},
                                                          {"Containers", "string", "", 1},
                                                          {"Images", "string", "", 1},
                                                          {"Selector", "string", "", 1}});
constexpr std::array kReplicaSet = std::to_array<Column>({{"Name", "string", "name"},
                                                          {"Desired", "integer"},
                                                          {"Current", "integer"},
                                                          {"Ready", "integer"},
                                                          {"Age"},
                                                          {"Containers", "string", "", 1},
                                                          {"Images", "string", "", 1},
                                                          {"Selector", "string", "", 1}});
constexpr std::array kScale = std::to_array<Column>(
    {{"Name", "string", "name"}, {"Desired", "integer"}, {"Available", "integer"}, {"Age"}});

std::string containers_of(const json::Value& object, std::string_view member) {
  return join(texts_of(object["spec"]["template"]["spec"]["containers"], member), ",");
}

json::Array deployment_cells(const json::Value& object, WallTime now) {
  const auto& status = object["status"];
  return {name_of(object),
          fmt::format("{}/{}", status["readyReplicas"].as_int(), object["spec"]["replicas"].as_int()),
          status["updatedReplicas"].as_int(),
          status["availableReplicas"].as_int(),
          age_of(object, now),
          containers_of(object, "name"),
          containers_of(object, "image"),
          selector_text(object["spec"]["selector"])};
}

json::Array replica_set_cells(const json::Value& object, WallTime now) {
  const auto& status = object["status"];
  return {name_of(object),
          object["spec"]["replicas"].as_int(),
          status["replicas"].as_int(),
          status["readyReplicas"].as_int(),
          age_of(object, now),
          containers_of(object, "name"),
          containers_of(object, "image"),
          selector_text(object["spec"]["selector"])};
}

json::Array scale_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["spec"]["replicas"].as_int(), object["status"]["replicas"].as_int(),
          age_of(object, now)};
}

constexpr std::array kPrinters =
    std::to_array<Printer>({{"apps", "Deployment", kDeployment, deployment_cells},
                            {"apps", "ReplicaSet", kReplicaSet, replica_set_cells},
                            {"autoscaling", "Scale", kScale, scale_cells}});

}  // namespace

std::span<const Printer> workload_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
