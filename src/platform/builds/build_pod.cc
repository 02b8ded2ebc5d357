#include <cstdlib>

#include "platform/apps/manifests.h"
#include "platform/builds/builder.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr int kBuildSeconds = 15 * 60;
constexpr const char* kBuildMemory = "3Gi";
constexpr const char* kBuildImage = "skiff.local/stack:build";
constexpr const char* kCaTarget = "/etc/ssl/certs/ca-certificates.crt";

Value host_volume(const std::string& name, const std::string& path, const std::string& type) {
  return Value::object({{"name", name}, {"hostPath", Value::object({{"path", path}, {"type", type}})}});
}

enum class Access { kReadOnly, kReadWrite };
Value mount(const std::string& name, const std::string& path, Access access) {
  return Value::object({{"name", name}, {"mountPath", path}, {"readOnly", access == Access::kReadOnly}});
}

}  // namespace

std::map<std::string, std::string> host_proxies() {
  std::map<std::string, std::string> out;
  for (const char* name :
       {"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}) {
    if (const char* value = std::getenv(name); value && *value) out[name] = value;
  }
  return out;
}

Value build_pod_manifest(const std::string& app, const std::string& id, const BuilderOptions& options,
                         const std::map<std::string, std::string>& proxies) {
  const std::string folder = options.data + "/builds/" + id;
  Value env = Value::array({Value::object({{"name", "STACK"}, {"value", "skiff-12"}}),
                            Value::object({{"name", "SSL_CERT_FILE"}, {"value", kCaTarget}})});
  for (const auto& [name, value] : proxies) env.push_back(Value::object({{"name", name}, {"value", value}}));
  const Value container = Value::object(
      {{"name", "build"},
       {"image", kBuildImage},
       {"imagePullPolicy", "IfNotPresent"},
       {"command", Value::array({"/bin/bash", "/skiff/buildpacks/bin/build"})},
       {"env", env},
       {"resources", Value::object({{"limits", Value::object({{"memory", kBuildMemory}})},
                                    {"requests", Value::object({{"memory", "256Mi"}})}})},
       {"volumeMounts", Value::array({mount("build", "/skiff/build", Access::kReadWrite),
                                      mount("cache", "/skiff/cache", Access::kReadWrite),
                                      mount("buildpacks", "/skiff/buildpacks", Access::kReadOnly),
                                      mount("authorities", kCaTarget, Access::kReadOnly)})}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata", Value::object({{"name", "build-" + id},
                                   {"namespace", app},
                                   {"labels", Value::object({{kAppLabel, app}, {"skiff.dev/build", id}})}})},
       {"spec", Value::object(
                    {{"restartPolicy", "Never"},
                     {"activeDeadlineSeconds", kBuildSeconds},
                     {"automountServiceAccountToken", false},
                     {"terminationGracePeriodSeconds", 1},
                     {"containers", Value::array({container})},
                     {"volumes",
                      Value::array({host_volume("build", folder, "Directory"),
                                    host_volume("cache", options.data + "/cache/" + app, "DirectoryOrCreate"),
                                    host_volume("buildpacks", options.buildpacks, "Directory"),
                                    host_volume("authorities", options.host_ca_bundle, "File")})}})}});
}

}  // namespace skiff::platform
