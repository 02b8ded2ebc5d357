#include <array>

#include "base/strings.h"
#include "kube/print/cells.h"
#include "kube/print/printers.h"

namespace skiff::kube {

namespace {

constexpr std::array kConfigMap = std::to_array<Column>({{"Name", "string", "name"}, {"Data"}, {"Age"}});
constexpr std::array kSecret =
    std::to_array<Column>({{"Name", "string", "name"}, {"Type"}, {"Data"}, {"Age"}});
constexpr std::array kAccount = std::to_array<Column>({{"Name", "string", "name"}, {"Secrets"}, {"Age"}});
constexpr std::array kBinding = std::to_array<Column>({{"Name", "string", "name"},
                                                       {"Role"},
                                                       {"Age"},
                                                       {"Users", "string", "", 1},
                                                       {"Groups", "string", "", 1},
                                                       {"ServiceAccounts", "string", "", 1}});

json::Array config_map_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["data"].size() + object["binaryData"].size(), age_of(object, now)};
}

json::Array secret_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["type"].str(), object["data"].size(), age_of(object, now)};
}

json::Array account_cells(const json::Value& object, WallTime now) {
  return {name_of(object), object["secrets"].size(), age_of(object, now)};
}

std::string subjects_of(const json::Value& binding, std::string_view kind) {
  std::vector<std::string> names;
  for (const auto& one : binding["subjects"].items()) {
    if (one["kind"].str() != kind) continue;
    names.push_back(kind == "ServiceAccount" ? one["namespace"].str() + "/" + one["name"].str()
                                             : one["name"].str());
  }
  return join(names, ", ");
}

json::Array binding_cells(const json::Value& object, WallTime now) {
  const auto& role = object["roleRef"];
  return {name_of(object),
          role["kind"].str() + "/" + role["name"].str(),
          age_of(object, now),
          subjects_of(object, "User"),
          subjects_of(object, "Group"),
          subjects_of(object, "ServiceAccount")};
}

constexpr std::array kPrinters =
    std::to_array<Printer>({{"", "ConfigMap", kConfigMap, config_map_cells},
                            {"", "Secret", kSecret, secret_cells},
                            {"", "ServiceAccount", kAccount, account_cells},
                            {"rbac.authorization.k8s.io", "RoleBinding", kBinding, binding_cells},
                            {"rbac.authorization.k8s.io", "ClusterRoleBinding", kBinding, binding_cells}});

}  // namespace

std::span<const Printer> access_printers() {
  return kPrinters;
}

}  // namespace skiff::kube
