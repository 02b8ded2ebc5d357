#include "platform/resources/definitions.h"

#include <fmt/core.h>

#include "base/yaml.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr const char* kDefinitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr Duration kServedPause = std::chrono::milliseconds(50);
constexpr Duration kServedLimit = std::chrono::seconds(30);

bool is_served(const Value& definition) {
  for (const auto& condition : definition["status"]["conditions"].items()) {
    if (condition["type"].str() == "Established") return condition["status"].str() == "True";
  }
  return false;
}

io::Task<Result<void>> apply_definition(io::Loop& loop, kube::Client& api, Value definition) {
  const std::string path = fmt::format("{}/{}", kDefinitions, definition["metadata"]["name"].str());
  auto created = co_await api.create(kDefinitions, definition);
  if (!created && created.error().code != Code::kAlreadyExists) co_return std::unexpected(created.error());
  if (!created) {
    auto patched = co_await api.patch(path, kube::PatchType::kMerge, std::move(definition));
    SKIFF_CO_RETURN_IF_ERROR(patched);
  }
  // On another API server than ours this takes a moment.
  for (Duration waited{}; waited < kServedLimit; waited += kServedPause) {
    auto found = co_await api.get(path);
    SKIFF_CO_RETURN_IF_ERROR(found);
    if (is_served(*found)) co_return Result<void>{};
    co_await io::sleep(loop, kServedPause);
  }
  co_return fail(Code::kTimeout, "the API does not serve it");
}

}  // namespace

std::string resources_path(std::string_view plural, const std::string& app) {
  if (app.empty()) return fmt::format("/apis/{}/{}", kResourceVersion, plural);
  return fmt::format("/apis/{}/namespaces/{}/{}", kResourceVersion, app, plural);
}

std::string resource_path(std::string_view plural, const std::string& app, const std::string& name) {
  return resources_path(plural, app) + "/" + name;
}

Value make_resource(std::string_view kind, const std::string& app, const std::string& name, Value spec) {
  return Value::object(
      {{"apiVersion", kResourceVersion},
       {"kind", kind},
       {"metadata",
        Value::object({{"name", name}, {"namespace", app}, {"labels", Value::object({{kAppLabel, app}})}})},
       {"spec", std::move(spec)}});
}

std::string created_at(const Value& object) {
  const Value& metadata = object["metadata"];
  return metadata["annotations"][kCreatedAtAnnotation].str_or(metadata["creationTimestamp"].str());
}

io::Task<Result<void>> apply_definitions(io::Loop& loop, kube::Client& api) {
  auto definitions = yaml::parse_all(definitions_text());
  SKIFF_CO_RETURN_IF_ERROR(definitions);
  for (const auto& definition : *definitions) {
    auto applied = co_await apply_definition(loop, api, definition);
    if (!applied) co_return wrap(applied.error(), "apply " + definition["metadata"]["name"].str());
  }
  co_return Result<void>{};
}

}  // namespace skiff::platform
