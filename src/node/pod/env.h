// The environment of a container: values, references, downward API, services, $(VAR). Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::node {

// ConfigMaps and Secrets of the pod's namespace by name; null when the cluster has none of that name.
struct ConfigObjects {
  std::map<std::string, json::Value> config_maps, secrets;
};
struct ObjectNames {
  std::set<std::string> config_maps, secrets;
};
// What a container's env and envFrom refer to.
ObjectNames env_references(const json::Value& container);

// What the downward API may tell of the node: name and address, and what it can give pods.
struct NodeIdentity {
  std::string name, host_ip;
  int64_t cpu_milli = 0, memory_bytes = 0, storage_bytes = 0;
};
// And of a pod.
struct PodIdentity {
  const json::Value& pod;
  std::string pod_ip;
  const NodeIdentity& node;
};

using EnvMap = std::map<std::string, std::string>;

// In order of declaration, each name once, and no more than a program can be given (exec_budget.h). An error
// is the message of CreateContainerConfigError.
struct EnvInput {
  const PodIdentity& identity;
  const json::Value& container;
  const ConfigObjects& objects;
  const EnvMap& services;  // HOST and PORT variables of services
};
Result<std::vector<std::pair<std::string, std::string>>> resolve_env(const EnvInput& input);

// $(NAME) by value, $$(NAME) as $(NAME); unknown names stay as they are. Ends when the text is longer than
// kMaxExecString: an ExecBudget refuses it.
std::string expand_variables(const std::string& text, const EnvMap& values);

// Writes each volumeMount's subPathExpr, expanded, into its subPath. InvalidArgument names variables that are
// unknown or empty, and an expression that becomes too long for a path.
Result<void> expand_sub_paths(json::Value& container, const EnvMap& values);

// "metadata.labels['a']", "status.podIP", …; nothing for an unknown path.
std::optional<std::string> read_field(const PodIdentity& identity, const std::string& path);
// The init or app container of that name, null when there is none.
const json::Value& find_container(const json::Value& pod, const std::string& name);
// resourceFieldRef in units of its divisor, rounded up. An unset limit is what the node has.
Result<std::string> read_resource(const PodIdentity& identity, const json::Value& container,
                                  const json::Value& ref);
// Text of a data or binaryData (base64) entry; nothing when absent. Secrets' data is base64.
std::optional<std::string> config_map_value(const json::Value& config_map, const std::string& key);
std::optional<std::string> secret_value(const json::Value& secret, const std::string& key);

// The services whose variables a pod gets (contract 4.9): default/kubernetes always, those of its namespace
// when it wants links; a Service of its own named kubernetes comes first. `services` are the cluster's, by
// "namespace/name"; the cost is that of those of the namespace.
enum class Links { kNone, kOwnNamespace };
std::vector<json::Value> visible_services(const std::map<std::string, json::Value>& services,
                                          const std::string& name_space, Links links);
EnvMap service_env(const std::vector<json::Value>& services);

}  // namespace skiff::node
