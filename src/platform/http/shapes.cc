#include "platform/http/shapes.h"

#include <fmt/core.h>

#include <map>

#include "platform/apps/manifests.h"

namespace skiff::platform {

using json::Value;

namespace {
Value app_reference(const std::string& app) {
  return Value::object({{"name", app}});
}
}  // namespace

Value app_shape(const Value& name_space, const std::string& web_url, const std::string& git_url) {
  const auto& metadata = name_space["metadata"];
  const Value stack = Value::object({{"name", "skiff-12"}});
  return Value::object({{"id", metadata["uid"]},
                        {"name", metadata["name"]},
                        {"created_at", metadata["creationTimestamp"]},
                        {"updated_at", metadata["creationTimestamp"]},
                        {"web_url", web_url},
                        {"git_url", git_url},
                        {"maintenance", metadata["annotations"]["skiff.dev/maintenance"].str() == "true"},
                        {"stack", stack},
                        {"build_stack", stack}});
}

Value release_shape(const std::string& app, const Release& release, bool current) {
  return Value::object({{"app", app_reference(app)},
                        {"version", release.version},
                        {"description", release.description},
                        {"status", "succeeded"},
                        {"current", current},
                        {"created_at", release.created_at},
                        {"updated_at", release.created_at},
                        {"slug", release.image.empty() ? Value() : Value::object({{"id", release.image}})}});
}

Value formation_shape(const std::string& app, const Apps::Process& process) {
  return Value::object({{"app", app_reference(app)},
                        {"type", process.type},
                        {"command", process.command},
                        {"quantity", process.quantity},
                        {"size", "Basic"}});
}

std::string dyno_state(const Value& pod) {
  if (pod["metadata"].contains("deletionTimestamp")) return "down";
  const std::string& phase = pod["status"]["phase"].str();
  if (phase == "Failed") return "crashed";
  for (const auto& status : pod["status"]["containerStatuses"].items()) {
    if (status["state"]["waiting"]["reason"].str() == "CrashLoopBackOff" ||
        status["state"].contains("terminated")) {
      return "crashed";
    }
  }
  for (const auto& condition : pod["status"]["conditions"].items()) {
    if (condition["type"].str() == "Ready" && condition["status"].str() == "True") return "up";
  }
  return "starting";
}

Value dyno_shapes(const std::string& app, const std::vector<Value>& pods) {
  std::map<std::string, int> counts;
  Value dynos = Value::array();
  for (const auto& pod : pods) {
    const std::string state = dyno_state(pod);
    if (state == "down") continue;
    const auto& metadata = pod["metadata"];
    const std::string type = metadata["labels"][kProcessLabel].str();
    const auto& started = pod["status"]["startTime"];
    dynos.push_back(
        Value::object({{"app", app_reference(app)},
                       {"id", metadata["uid"]},
                       {"name", fmt::format("{}.{}", type, ++counts[type])},
                       {"type", type},
                       {"state", state},
                       {"command", pod["spec"]["containers"].at(0)["command"].at(4)},
                       {"size", "Basic"},
                       {"created_at", metadata["creationTimestamp"]},
                       {"updated_at", started.is_string() ? started : metadata["creationTimestamp"]},
                       {"release", Value::object({{"version", metadata["labels"][kReleaseLabel]}})}}));
  }
  return dynos;
}

}  // namespace skiff::platform
