#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr size_t kMaxBytes = 1024 * 1024;  // of all values together, as upstream

void check_immutable(const Value& object, const Value* old, std::vector<std::string> fields,
                     Findings& findings) {
  if (old == nullptr || !(*old)["immutable"].as_bool()) return;
  constexpr std::string_view kWords = "field is immutable when `immutable` is set";
  if (!object["immutable"].as_bool()) findings.forbidden("immutable", kWords);
  for (const auto& field : fields) {
    bool same = object[field] == (*old)[field] || (object[field].empty() && (*old)[field].empty());
    if (!same) findings.forbidden(field, kWords);
  }
}

size_t decoded_size(const Value& base64) {
  auto bytes = base64_decode(base64.str());
  return bytes ? bytes->size() : 0;
}

void require_key(const Value& secret, const std::string& key, Findings& findings) {
  if (!secret["data"].contains(key)) findings.required(fmt::format("data[{}]", key));
}

void check_docker_config(const Value& secret, const std::string& key, Findings& findings) {
  if (!secret["data"].contains(key)) {
    findings.required(fmt::format("data[{}]", key));
    return;
  }
  auto text = base64_decode(secret["data"][key].str());
  auto parsed = json::parse(text.value_or(""));
  if (!parsed) {
    findings.invalid(fmt::format("data[{}]", key), Value("<secret contents redacted>"),
                     parsed.error().message);
  }
}

void check_secret_type(const Value& secret, Findings& findings) {
  const auto& type = secret["type"].str();
  constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
  if (type == "kubernetes.io/service-account-token") {
    if (secret["metadata"]["annotations"][kAccount].empty()) {
      findings.required(fmt::format("metadata.annotations[{}]", kAccount));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    check_docker_config(secret, ".dockercfg", findings);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    check_docker_config(secret, ".dockerconfigjson", findings);
  } else if (type == "kubernetes.io/basic-auth") {
    if (secret["data"].contains("username") || secret["data"].contains("password")) return;
    findings.required("data[username]");
    findings.required("data[password]");
  } else if (type == "kubernetes.io/ssh-auth") {
    require_key(secret, "ssh-privatekey", findings);
  } else if (type == "kubernetes.io/tls") {
    require_key(secret, "tls.crt", findings);
    require_key(secret, "tls.key", findings);
  }
}

}  // namespace

void validate_config_map(const Value& map, const Value* old, Findings& findings) {
  size_t bytes = 0;
  // Members are in the order of their keys; upstream goes through a map, in no order.
  for (const auto& [key, value] : map["data"].members()) {
    auto at = fmt::format("data[{}]", key);
    findings.invalid_all(at, Value(key), check_config_key(key));
    if (map["binaryData"].contains(key))
      findings.invalid(at, Value(key), "duplicate of key present in binaryData");
    bytes += value.str().size();
  }
  for (const auto& [key, value] : map["binaryData"].members()) {
    findings.invalid_all(fmt::format("binaryData[{}]", key), Value(key), check_config_key(key));
    bytes += decoded_size(value);
  }
  if (bytes > kMaxBytes) findings.too_long("[]", kMaxBytes);
  check_immutable(map, old, {"data", "binaryData"}, findings);
}

void validate_secret(const Value& secret, const Value* old, Findings& findings) {
  size_t bytes = 0;
  for (const auto& [key, value] : secret["data"].members()) {
    findings.invalid_all(fmt::format("data[{}]", key), Value(key), check_config_key(key));
    bytes += decoded_size(value);
  }
  if (bytes > kMaxBytes) findings.too_long("data", kMaxBytes);
  check_secret_type(secret, findings);
  if (old != nullptr && (*old)["type"] != secret["type"]) {
    findings.invalid("type", secret["type"], "field is immutable");
  }
  check_immutable(secret, old, {"data"}, findings);
}

}  // namespace skiff::kube
