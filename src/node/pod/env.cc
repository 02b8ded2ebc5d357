#include "node/pod/env.h"

#include <algorithm>
#include <unordered_map>

#include "base/strings.h"
#include "node/pod/exec_budget.h"
#include "node/pod/phase.h"

namespace skiff::node {

namespace {

using json::Value;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaxSubPath = 4096;  // PATH_MAX

// Variables in the order in which they were first put, and no more than a program can be given.
class Variables {
 public:
  // Replaced values count, too: putting them is work.
  Result<void> put(const std::string& name, std::string value) {
    SKIFF_RETURN_IF_ERROR(budget_.take("environment variable", name, name.size() + 1 + value.size()));
    const auto [known, fresh] = index_.try_emplace(name, pairs_.size());
    if (fresh) {
      pairs_.emplace_back(name, std::move(value));
    } else {
      pairs_[known->second].second = std::move(value);
    }
    return {};
  }
  const std::string* find(const std::string& name) const {
    const auto known = index_.find(name);
    return known == index_.end() ? nullptr : &pairs_[known->second].second;
  }
  Pairs take() { return std::move(pairs_); }

 private:
  Pairs pairs_;
  std::unordered_map<std::string, size_t> index_;
  ExecBudget budget_;
};

const std::string* find_value(const EnvMap& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

// Environment names as upstream accepts them since 1.30: anything printable but '='.
bool valid_name(const std::string& name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > ' ' && c != '='; });
}

const Value& lookup(const std::map<std::string, Value>& objects, const std::string& name) {
  static const Value kNothing;
  const auto found = objects.find(name);
  return found == objects.end() ? kNothing : found->second;
}

Result<void> add_from(const EnvInput& input, const Value& source, Variables& out) {
  const bool secret = source.contains("secretRef");
  const Value& ref = secret ? source["secretRef"] : source["configMapRef"];
  const std::string& name = ref["name"].str();
  const Value& object = lookup(secret ? input.objects.secrets : input.objects.config_maps, name);
  if (object.is_null()) {
    if (ref["optional"].as_bool()) return {};
    return fail(Code::kNotFound,
                std::string(secret ? "secret" : "configmap") + " \"" + name + "\" not found");
  }
  for (const auto& [key, value] : object["data"].members()) {
    const std::string full = source["prefix"].str() + key;
    if (!valid_name(full)) continue;
    SKIFF_RETURN_IF_ERROR(out.put(full, secret ? base64_decode(value.str()).value_or("") : value.str()));
  }
  return {};
}

// The value of a configMapKeyRef or secretKeyRef; nothing when optional and absent.
Result<std::optional<std::string>> key_value(const EnvInput& input, const Value& from) {
  const bool secret = from.contains("secretKeyRef");
  const Value& ref = secret ? from["secretKeyRef"] : from["configMapKeyRef"];
  const std::string& name = ref["name"].str();
  const std::string& key = ref["key"].str();
  const Value& object = lookup(secret ? input.objects.secrets : input.objects.config_maps, name);
  const bool optional = ref["optional"].as_bool();
  if (object.is_null()) {
    if (optional) return std::nullopt;
    return fail(Code::kNotFound,
                std::string(secret ? "secret" : "configmap") + " \"" + name + "\" not found");
  }
  auto value = secret ? secret_value(object, key) : config_map_value(object, key);
  if (value || optional) return value;
  return fail(Code::kNotFound, "couldn't find key " + key + " in " + (secret ? "Secret " : "ConfigMap ") +
                                   input.identity.pod["metadata"]["namespace"].str() + "/" + name);
}

Result<std::optional<std::string>> value_from(const EnvInput& input, const Value& from) {
  if (from.contains("fieldRef")) {
    const std::string& path = from["fieldRef"]["fieldPath"].str();
    auto value = read_field(input.identity, path);
    if (!value) return fail(Code::kInvalidArgument, "unsupported fieldPath: " + path);
    return value;
  }
  if (from.contains("resourceFieldRef")) {
    const Value& ref = from["resourceFieldRef"];
    const std::string& other = ref["containerName"].str();
    const Value& container = other.empty() ? input.container : find_container(input.identity.pod, other);
    auto value = read_resource(input.identity, container, ref);
    if (!value) return std::unexpected(value.error());
    return std::optional<std::string>(*value);
  }
  return key_value(input, from);
}

// `replace` finds the text for a name; null leaves the reference as it is. Ends when there are more than
// `most` bytes.
template <typename Replace>
std::string expand(const std::string& text, size_t most, Replace replace) {
  std::string out;
  const size_t last_end = text.rfind(')');
  for (size_t i = 0; i < text.size() && out.size() <= most; ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    if (text[i + 1] != '(' || last_end == std::string::npos || last_end < i) {
      out += '$';
      continue;
    }
    const size_t end = text.find(')', i);
    const std::string* value = replace(text.substr(i + 2, end - i - 2));
    out += value != nullptr ? *value : text.substr(i, end - i + 1);
    i = end;
  }
  return out;
}

}  // namespace

ObjectNames env_references(const Value& container) {
  ObjectNames out;
  for (const auto& source : container["envFrom"].items()) {
    if (source.contains("configMapRef")) out.config_maps.insert(source["configMapRef"]["name"].str());
    if (source.contains("secretRef")) out.secrets.insert(source["secretRef"]["name"].str());
  }
  for (const auto& variable : container["env"].items()) {
    const Value& from = variable["valueFrom"];
    if (from.contains("configMapKeyRef")) out.config_maps.insert(from["configMapKeyRef"]["name"].str());
    if (from.contains("secretKeyRef")) out.secrets.insert(from["secretKeyRef"]["name"].str());
  }
  return out;
}

Result<Pairs> resolve_env(const EnvInput& input) {
  Variables out;
  for (const auto& source : input.container["envFrom"].items())
    SKIFF_RETURN_IF_ERROR(add_from(input, source, out));
  // Values may refer to services and to what was declared before them.
  const auto known = [&](const std::string& name) {
    const std::string* own = out.find(name);
    return own != nullptr ? own : find_value(input.services, name);
  };
  for (const auto& variable : input.container["env"].items()) {
    const std::string& name = variable["name"].str();
    std::optional<std::string> value;
    if (variable.contains("valueFrom")) {
      auto found = value_from(input, variable["valueFrom"]);
      if (!found) return std::unexpected(found.error());
      value = std::move(*found);
    } else {
      value = expand(variable["value"].str(), kMaxExecString, known);
    }
    if (!value) continue;
    SKIFF_RETURN_IF_ERROR(out.put(name, std::move(*value)));
  }
  for (const auto& [name, value] : input.services) {
    if (out.find(name) == nullptr) SKIFF_RETURN_IF_ERROR(out.put(name, value));
  }
  return out.take();
}

std::string expand_variables(const std::string& text, const EnvMap& values) {
  return expand(text, kMaxExecString, [&](const std::string& name) { return find_value(values, name); });
}

Result<void> expand_sub_paths(Value& container, const EnvMap& values) {
  if (container["volumeMounts"].size() == 0) return {};
  for (auto& mount : container.edit("volumeMounts").edit_items()) {
    const std::string expression = mount["subPathExpr"].str();
    if (expression.empty()) continue;
    std::set<std::string> missing;
    std::string path = expand(expression, kMaxSubPath, [&](const std::string& name) {
      const std::string* value = find_value(values, name);
      if (value != nullptr && !value->empty()) return value;
      missing.insert(name);
      return static_cast<const std::string*>(nullptr);
    });
    if (!missing.empty()) {
      return fail(Code::kInvalidArgument, "subPathExpr " + expression + ": missing value for " +
                                              join({missing.begin(), missing.end()}, ", "));
    }
    if (path.size() > kMaxSubPath) {
      return fail(Code::kInvalidArgument, "subPathExpr " + expression.substr(0, kMaxSubPath) +
                                              ": longer than " + std::to_string(kMaxSubPath) +
                                              " bytes, the most that a path can be");
    }
    mount.set("subPath", std::move(path));
  }
  return {};
}

std::optional<std::string> config_map_value(const Value& config_map, const std::string& key) {
  if (const Value* text = config_map["data"].find(key)) return text->str();
  if (const Value* bytes = config_map["binaryData"].find(key)) return base64_decode(bytes->str());
  return std::nullopt;
}

std::optional<std::string> secret_value(const Value& secret, const std::string& key) {
  const Value* bytes = secret["data"].find(key);
  if (bytes == nullptr) return std::nullopt;
  return base64_decode(bytes->str());
}

std::vector<Value> visible_services(const std::map<std::string, Value>& services,
                                    const std::string& name_space, Links links) {
  const auto has_address = [](const Value& service) {
    const std::string& ip = service["spec"]["clusterIP"].str();
    return !ip.empty() && ip != "None";
  };
  std::vector<Value> out;
  const std::string prefix = name_space + "/";
  auto own = services.lower_bound(prefix);
  bool has_kubernetes = false;
  for (; own != services.end() && own->first.starts_with(prefix); ++own) {
    const bool kubernetes = own->first.substr(prefix.size()) == "kubernetes";
    const bool wanted = links == Links::kOwnNamespace || (kubernetes && name_space == "default");
    if (!wanted || !has_address(own->second)) continue;
    has_kubernetes = has_kubernetes || kubernetes;
    out.push_back(own->second);
  }
  const auto api = services.find("default/kubernetes");
  if (!has_kubernetes && api != services.end() && has_address(api->second)) out.push_back(api->second);
  return out;
}

EnvMap service_env(const std::vector<Value>& services) {
  EnvMap out;
  for (const auto& service : services) {
    const std::string& ip = service["spec"]["clusterIP"].str();
    const Value& ports = service["spec"]["ports"];
    if (ip.empty() || ip == "None" || ports.size() == 0) continue;
    const std::string name = replace_all(to_upper(service["metadata"]["name"].str()), "-", "_");
    const auto number = [](const Value& port) { return std::to_string(port["port"].as_int()); };
    out[name + "_SERVICE_HOST"] = ip;
    out[name + "_SERVICE_PORT"] = number(ports.at(0));
    for (const auto& port : ports.items()) {
      const std::string protocol = port["protocol"].str_or("TCP");
      const std::string address = to_lower(protocol) + "://" + ip + ":" + number(port);
      if (!port["name"].str().empty()) {
        out[name + "_SERVICE_PORT_" + replace_all(to_upper(port["name"].str()), "-", "_")] = number(port);
      }
      if (&port == &ports.at(0)) out[name + "_PORT"] = address;
      const std::string prefix = name + "_PORT_" + number(port) + "_" + protocol;
      out[prefix] = address;
      out[prefix + "_PROTO"] = to_lower(protocol);
      out[prefix + "_PORT"] = number(port);
      out[prefix + "_ADDR"] = ip;
    }
  }
  return out;
}

}  // namespace skiff::node
