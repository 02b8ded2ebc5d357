#include <fmt/core.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "platform/apps/manifests.h"
#include "platform/builds/builder.h"

namespace skiff::platform {

namespace {

using json::Value;

// What buildpacks made for Heroku know: the newest of its stacks whose binaries run on Debian 12
// (glibc 2.36).
constexpr const char* kHerokuStack = "heroku-22";
constexpr int64_t kLeastRequestMb = 64;
// Of what a build leaves on the host's own disk: its log, and the message of its end (/dev/termination-log).
constexpr int64_t kHostDiskMb = 256;
constexpr const char* kCaTarget = "/etc/ssl/certs/ca-certificates.crt";

Value host_volume(const std::string& name, const std::string& path, const std::string& type) {
  return Value::object({{"name", name}, {"hostPath", Value::object({{"path", path}, {"type", type}})}});
}

enum class Access { kReadOnly, kReadWrite };
Value mount(const std::string& name, const std::string& path, Access access) {
  return Value::object({{"name", name}, {"mountPath", path}, {"readOnly", access == Access::kReadOnly}});
}

// A disk is smaller than its bound when the host has no more.
std::string how_to_get_disk(const BuildFacts& facts) {
  if (facts.disk.megabytes < facts.limits.disk_mb) return "free some of the host's disk, which has no more";
  return how_to_raise("diskMb", facts.limits.disk_mb);
}

std::string explain_eviction(const std::string& why) {
  if (why.starts_with("The node was low on resource"))
    return "the host's disk ran full, and the build was stopped; free some of it, and push again";
  return fmt::format(
      "the build's log and the message of its end (/dev/termination-log) took more than {} of the host's "
      "disk, and it was stopped; print less, or write it to a file below /tmp",
      describe_megabytes(kHostDiskMb));
}

int64_t machine_megabytes() {
  return ::sysconf(_SC_PHYS_PAGES) / 1024 * ::sysconf(_SC_PAGESIZE) / 1024;
}

}  // namespace

// A compiler or a bundler takes some hundred megabytes most of the time, its whole limit seldom. Half of the
// limit keeps two builds from meeting in memory that is not there; no more than a quarter of the machine lets
// a small one build at all, beside its apps. What waits is told its place.
int64_t plan_memory_request(int64_t limit_mb, int64_t machine_mb) {
  return std::clamp(std::min(limit_mb / 2, machine_mb / 4), std::min<int64_t>(limit_mb, kLeastRequestMb),
                    limit_mb);
}

std::map<std::string, std::string> host_proxies() {
  std::map<std::string, std::string> out;
  for (const char* name :
       {"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}) {
    if (const char* value = std::getenv(name); value && *value) out[name] = value;
  }
  return out;
}

Value build_pod_manifest(const BuildFacts& facts, const BuilderOptions& options,
                         const std::map<std::string, std::string>& proxies) {
  Value env = Value::array({Value::object({{"name", "STACK"}, {"value", kHerokuStack}}),
                            Value::object({{"name", "SKIFF_STACK"}, {"value", "skiff-12"}}),
                            Value::object({{"name", "HOME"}, {"value", "/app"}}),
                            Value::object({{"name", "SOURCE_VERSION"}, {"value", facts.commit}}),
                            Value::object({{"name", "REQUEST_ID"}, {"value", facts.id}}),
                            Value::object({{"name", "SSL_CERT_FILE"}, {"value", kCaTarget}})});
  env.push_back(Value::object({{"name", "SKIFF_LAYERS"}, {"value", join_layers(facts.layers, " ")}}));
  if (facts.disk.bound == BuildDisk::Bound::kByWatching) {
    const std::string size = std::to_string(facts.disk.megabytes);
    env.push_back(Value::object({{"name", "SKIFF_WATCH_DISK_MB"}, {"value", size}}));
  }
  for (const auto& [name, value] : proxies) env.push_back(Value::object({{"name", name}, {"value", value}}));
  const std::string memory = fmt::format("{}Mi", facts.limits.memory_mb);
  const std::string request =
      fmt::format("{}Mi", plan_memory_request(facts.limits.memory_mb, machine_megabytes()));
  // All that a build may write lies on its disk.
  Value security = container_security();
  security.set("readOnlyRootFilesystem", true);
  const Value container = Value::object(
      {{"name", "build"},
       {"image", build_image_name(facts.layers)},
       {"imagePullPolicy", "IfNotPresent"},
       {"command", Value::array({"/bin/bash", "/skiff/buildpacks/bin/build"})},
       {"env", env},
       {"securityContext", security},
       {"resources",
        Value::object({{"limits", Value::object({{"memory", memory},
                                                 {"ephemeral-storage", fmt::format("{}Mi", kHostDiskMb)}})},
                       {"requests", Value::object({{"memory", request}, {"ephemeral-storage", "16Mi"}})}})},
       {"volumeMounts",
        Value::array({mount("build", "/skiff/build", Access::kReadOnly),
                      mount("out", "/skiff/out", Access::kReadWrite),
                      mount("cache", "/skiff/cache", Access::kReadWrite),
                      mount("app", "/app", Access::kReadWrite), mount("tmp", "/tmp", Access::kReadWrite),
                      mount("tmp", "/var/tmp", Access::kReadWrite),
                      mount("buildpacks", "/skiff/buildpacks", Access::kReadOnly),
                      mount("authorities", kCaTarget, Access::kReadOnly)})}});
  Value volumes = Value::array({host_volume("build", facts.folder, "Directory"),
                                host_volume("buildpacks", options.buildpacks, "Directory"),
                                host_volume("authorities", options.host_ca_bundle, "File")});
  for (const char* name : {"app", "tmp", "out", "cache"}) {
    volumes.push_back(host_volume(name, facts.disk.folder + "/" + name, "Directory"));
  }
  const Value labels = Value::object({{kAppLabel, facts.app}, {kBuildLabel, facts.id}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata",
        Value::object({{"name", facts.pod}, {"namespace", kBuildsNamespace}, {"labels", labels}})},
       {"spec", Value::object({{"restartPolicy", "Never"},
                               {"activeDeadlineSeconds", facts.limits.seconds},
                               {"automountServiceAccountToken", false},
                               {"enableServiceLinks", false},
                               {"terminationGracePeriodSeconds", 1},
                               {"securityContext", dyno_security()},
                               {"containers", Value::array({container})},
                               {"volumes", volumes}})}});
}

std::string explain_failure(const Value& pod, const BuildFacts& facts, bool told_of_full_disk) {
  const auto& status = pod["status"];
  if (status["reason"].str() == "DeadlineExceeded") {
    return fmt::format(
        "the build took longer than {} and was stopped; build less, or in smaller steps, or {}",
        describe_seconds(facts.limits.seconds), how_to_raise("seconds", facts.limits.seconds));
  }
  if (status["reason"].str() == "Evicted") return explain_eviction(status["message"].str());
  const auto& ended = status["containerStatuses"].at(0)["state"]["terminated"];
  if (ended["reason"].str() == "OOMKilled") {
    return fmt::format("the build used more than {} of memory and was stopped; run fewer jobs at once, or {}",
                       describe_megabytes(facts.limits.memory_mb),
                       how_to_raise("memoryMb", facts.limits.memory_mb));
  }
  if (told_of_full_disk) {
    return fmt::format("the build filled its disk of {}, which also holds its cache; write less, or {}",
                       describe_megabytes(facts.disk.megabytes), how_to_get_disk(facts));
  }
  if (ended.is_object()) return fmt::format("the build ended with exit code {}", ended["exitCode"].as_int());
  return "the build could not start: " + status["message"].str_or("see kubectl describe pod");
}

}  // namespace skiff::platform
