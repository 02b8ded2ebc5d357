#include "platform/http/shapes.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "base/strings.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_names.h"
#include "platform/dynos/dyno_trouble.h"
#include "platform/renames/copies.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

using json::Value;

namespace {

constexpr const char* kUserId = "00000000-0000-4000-8000-000000000001";

Value app_reference(const std::string& app) {
  return Value::object({{"name", app}});
}

// Since when its container runs; since when the pod is there, before.
const Value& since(const Value& pod) {
  const Value& running = pod["status"]["containerStatuses"].at(0)["state"]["running"]["startedAt"];
  return running.is_string() ? running : pod["metadata"]["creationTimestamp"];
}

}  // namespace

Value user_shape() {
  return Value::object({{"id", kUserId}, {"email", "skiff"}});
}

Value app_shape(const Value& app, const std::string& web_url, const std::string& git_url) {
  const auto& metadata = app["metadata"];
  const Value stack = stack_shape();
  return Value::object({{"id", app_id(app)},
                        {"name", metadata["name"]},
                        {"created_at", created_at(app)},
                        {"updated_at", created_at(app)},
                        {"web_url", web_url},
                        {"git_url", git_url},
                        {"maintenance", app["spec"]["maintenance"].as_bool()},
                        {"owner", user_shape()},
                        {"stack", stack},
                        {"build_stack", stack}});
}

Value stack_shape() {
  return Value::object({{"name", "skiff-12"}, {"state", "public"}, {"default", true}});
}

Value release_shape(const std::string& app, const Release& release, IsCurrent current,
                    std::string_view serving) {
  const auto served = split(replace_all(std::string(serving), " ", ""), ',');
  const bool serves = std::ranges::count(served, release_name(release.version)) > 0;
  Value stopped = Value::array();
  for (const auto& [type, quantity] : release.stopped) {
    stopped.push_back(Value::object({{"type", type}, {"quantity", quantity}}));
  }
  // What runs counts, also when it fails: Heroku's command line rolls back to the second of those that count.
  const bool eligible = !release.image.empty() && (current == IsCurrent::kYes || release.phase != kFailed);
  return Value::object({{"app", app_reference(app)},
                        {"id", release.id},
                        {"stopped", std::move(stopped)},
                        {"version", release.version},
                        {"description", release.description},
                        {"status", to_lower(release.phase)},
                        {"current", current == IsCurrent::kYes},
                        {"serving", serves},
                        {"message", release.message},
                        {"eligible_for_rollback", eligible},
                        {"user", user_shape()},
                        {"addon_plan_names", Value::array()},
                        {"output_stream_url", Value()},
                        {"created_at", release.created_at},
                        {"updated_at", release.created_at},
                        {"slug", release.image.empty() ? Value() : Value::object({{"id", release.image}})}});
}

Value build_shape(const std::string& app, const Value& build) {
  const Value &metadata = build["metadata"], &status = build["status"];
  Value release;
  if (status["release"].is_int()) release = Value::object({{"version", status["release"]}});
  return Value::object({{"app", app_reference(app)},
                        {"id", metadata["name"]},
                        {"status", to_lower(status["phase"].str_or("Pending"))},
                        {"buildpacks", Value::array({Value::object({{"name", status["buildpack"]}})})},
                        {"source_blob", Value::object({{"version", build["spec"]["commit"]}})},
                        {"output_stream_url", status["output"]},
                        {"release", std::move(release)},
                        {"message", status["message"]},
                        {"duration", status["durationSeconds"]},
                        {"phases", status["phases"]},
                        {"report", status["report"]},
                        {"created_at", created_at(build)},
                        {"updated_at", status["finishedAt"].str_or(created_at(build))}});
}

Value formation_shape(const std::string& app, const Apps::Process& process) {
  return Value::object({{"app", app_reference(app)},
                        {"type", process.type},
                        {"command", process.command},
                        {"quantity", process.quantity},
                        {"size", kDynoSize}});
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
  Value dynos = Value::array();
  for (const auto& pod : pods) {
    const std::string state = dyno_state(pod);
    if (state == "down") continue;
    const auto& metadata = pod["metadata"];
    dynos.push_back(Value::object({{"app", app_reference(app)},
                                   {"id", metadata["uid"]},
                                   {"name", name_of_dyno(pod)},
                                   {"type", metadata["labels"][kProcessLabel]},
                                   {"state", state},
                                   {"command", command_of(pod)},
                                   {"size", kDynoSize},
                                   {"created_at", metadata["creationTimestamp"]},
                                   {"updated_at", since(pod)},
                                   {"reason", find_trouble(pod).why},
                                   {"release", Value::object({{"version", release_of(pod)}})}}));
  }
  std::sort(dynos.edit_items().begin(), dynos.edit_items().end(), [](const Value& a, const Value& b) {
    const auto key = [](const Value& dyno) {
      const std::string& name = dyno["name"].str();
      return std::tuple(dyno["type"].str(), dyno["release"]["version"].as_int(), dyno_number(name), name);
    };
    return key(a) < key(b);
  });
  return dynos;
}

}  // namespace skiff::platform
