#include "node/pod/env.h"
#include "node/pod/phase.h"
#include "node/pod/quantity.h"

namespace skiff::node {

namespace {

using json::Value;

// "metadata.labels['app']" → "app".
std::optional<std::string> subscript(const std::string& path, std::string_view field) {
  const std::string prefix = std::string(field) + "['";
  if (!path.starts_with(prefix) || !path.ends_with("']")) return std::nullopt;
  return path.substr(prefix.size(), path.size() - prefix.size() - 2);
}

// One "key="value"" a line, sorted, as files of the downward API show maps.
std::string format_map(const Value& map) {
  std::map<std::string, std::string> sorted;
  for (const auto& [key, value] : map.members()) sorted[key] = value.str();
  std::string out;
  for (const auto& [key, value] : sorted) {
    if (!out.empty()) out += '\n';
    out += key + "=";
    json::encode_string_to(value, out);
  }
  return out;
}

int64_t divide_up(int64_t value, int64_t divisor) {
  return value / divisor + (value % divisor > 0 ? 1 : 0);
}

// A limit of zero is none, as upstream.
int64_t limit_or(std::optional<int64_t> limit, int64_t node_has) {
  return limit.value_or(0) > 0 ? *limit : node_has;
}

}  // namespace

std::optional<std::string> read_field(const PodIdentity& identity, const std::string& path) {
  const Value& metadata = identity.pod["metadata"];
  const Value& spec = identity.pod["spec"];
  if (path == "metadata.name") return metadata["name"].str();
  if (path == "metadata.namespace") return metadata["namespace"].str();
  if (path == "metadata.uid") return metadata["uid"].str();
  if (path == "metadata.labels") return format_map(metadata["labels"]);
  if (path == "metadata.annotations") return format_map(metadata["annotations"]);
  if (const auto key = subscript(path, "metadata.labels")) return metadata["labels"][*key].str();
  if (const auto key = subscript(path, "metadata.annotations")) return metadata["annotations"][*key].str();
  if (path == "spec.nodeName") return identity.node.name;
  if (path == "spec.serviceAccountName") return spec["serviceAccountName"].str_or("default");
  if (path == "status.hostIP" || path == "status.hostIPs") return identity.node.host_ip;
  if (path == "status.podIP" || path == "status.podIPs") return identity.pod_ip;
  return std::nullopt;
}

const Value& find_container(const Value& pod, const std::string& name) {
  const Value& app = find_named(pod["spec"]["containers"], name);
  return app.is_null() ? find_named(pod["spec"]["initContainers"], name) : app;
}

Result<std::string> read_resource(const PodIdentity& identity, const Value& container, const Value& ref) {
  const std::string& resource = ref["resource"].str();
  const size_t dot = resource.find('.');
  if (dot == std::string::npos)
    return fail(Code::kInvalidArgument, "unsupported container resource: " + resource);
  const std::string kind = resource.substr(0, dot), name = resource.substr(dot + 1);
  const Value& value = container["resources"][kind][name];
  const Value& divisor = ref["divisor"];
  const bool limits = kind == "limits";
  if (!limits && kind != "requests")
    return fail(Code::kInvalidArgument, "unsupported container resource: " + resource);
  if (name == "cpu") {
    const auto set = parse_milli(value);
    const int64_t milli = limits ? limit_or(set, identity.node.cpu_milli) : set.value_or(0);
    const int64_t by = parse_milli(divisor).value_or(0);
    return std::to_string(divide_up(milli, by > 0 ? by : 1000));
  }
  if (name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-")) {
    const int64_t node_has = name == "memory"              ? identity.node.memory_bytes
                             : name == "ephemeral-storage" ? identity.node.storage_bytes
                                                           : 0;
    const auto set = parse_units(value);
    const int64_t bytes = limits ? limit_or(set, node_has) : set.value_or(0);
    const int64_t by = parse_units(divisor).value_or(0);
    return std::to_string(divide_up(bytes, by > 0 ? by : 1));
  }
  return fail(Code::kInvalidArgument, "unsupported container resource: " + resource);
}

}  // namespace skiff::node
