#include "platform/apps/app_spec.h"

#include "platform/apps/procfile.h"

namespace skiff::platform {

using json::Value;

AppSpec parse_app_spec(const Value& app) {
  const Value& spec = app["spec"];
  AppSpec out;
  out.release = static_cast<int>(spec["release"].as_int());
  out.maintenance = spec["maintenance"].as_bool() ? Maintenance::kOn : Maintenance::kOff;
  for (const auto& entry : spec["formation"].items()) {
    out.formation[entry["type"].str()] = static_cast<int>(entry["quantity"].as_int());
  }
  for (const auto& entry : spec["buildpacks"].items()) out.buildpacks.push_back(entry.str());
  return out;
}

Value encode_app_spec(const AppSpec& spec) {
  Value formation = Value::array();
  for (const auto& [type, quantity] : spec.formation) {
    formation.push_back(Value::object({{"type", type}, {"quantity", quantity}}));
  }
  Value out = Value::object(
      {{"maintenance", spec.maintenance == Maintenance::kOn}, {"formation", std::move(formation)}});
  if (spec.release > 0) out.set("release", spec.release);
  if (!spec.buildpacks.empty()) {
    Value buildpacks = Value::array();
    for (const auto& entry : spec.buildpacks) buildpacks.push_back(entry);
    out.set("buildpacks", std::move(buildpacks));
  }
  return out;
}

AppSpec with_release(AppSpec spec, const Release& release) {
  std::map<std::string, int> formation;
  for (const auto& [type, command] : release.types) {
    const auto known = spec.formation.find(type);
    formation[type] = known != spec.formation.end() ? known->second : type == "web" ? 1 : 0;
  }
  for (const auto& [type, quantity] : spec.formation) {
    if (formation.size() < kMaxProcessTypes) formation.emplace(type, quantity);
  }
  spec.release = release.version;
  spec.formation = std::move(formation);
  return spec;
}

std::map<std::string, int> formation_of(const AppSpec& spec, const Release& release) {
  std::map<std::string, int> out;
  for (const auto& [type, command] : release.types) {
    if (const auto known = spec.formation.find(type); known != spec.formation.end())
      out[type] = known->second;
  }
  return out;
}

bool is_rolled_out(const Value& app) {
  return app["status"]["observedGeneration"].as_int() == app["metadata"]["generation"].as_int(-1);
}

}  // namespace skiff::platform
