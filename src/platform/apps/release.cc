#include "platform/apps/release.h"

#include <fmt/core.h>

#include "platform/resources/definitions.h"

namespace skiff::platform {

using json::Value;

std::string release_name(int version) {
  return fmt::format("v{}", version);
}

std::string config_secret_name(int version) {
  return fmt::format("config-v{}", version);
}

Value release_manifest(const std::string& app, const Release& release) {
  Value types = Value::object();
  for (const auto& [type, command] : release.types) types.set(type, command);
  Value spec = Value::object({{"version", release.version},
                              {"description", release.description},
                              {"configSecret", config_secret_name(release.version)},
                              {"processTypes", std::move(types)}});
  if (!release.image.empty()) spec.set("image", release.image);
  if (!release.digest.empty()) spec.set("digest", release.digest);
  if (!release.commit.empty()) spec.set("commit", release.commit);
  return make_resource("Release", app, release_name(release.version), std::move(spec));
}

Release parse_release(const Value& object) {
  const Value& spec = object["spec"];
  Release release;
  release.version = static_cast<int>(spec["version"].as_int());
  release.id = object["metadata"]["uid"].str();
  release.description = spec["description"].str();
  release.image = spec["image"].str();
  release.digest = spec["digest"].str();
  release.commit = spec["commit"].str();
  for (const auto& [type, command] : spec["processTypes"].members()) release.types[type] = command.str();
  release.created_at = created_at(object);
  release.phase = object["status"]["phase"].str_or(kPending);
  release.message = object["status"]["message"].str();
  release.failed_type = object["status"]["failedType"].str();
  return release;
}

}  // namespace skiff::platform
