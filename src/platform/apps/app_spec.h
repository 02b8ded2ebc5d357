// What an App resource asks for: the release that should run, how many dynos of each type, maintenance, and
// what builds it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "platform/apps/release.h"

namespace skiff::platform {

enum class Maintenance { kOff, kOn };

struct AppSpec {
  int release = 0;  // 0: none yet
  Maintenance maintenance = Maintenance::kOff;
  // Process type to quantity; also of types that the release does not have, for when they return.
  std::map<std::string, int> formation;
  // In the order in which they run (buildpacks.h); none: what the pushed files say.
  std::vector<std::string> buildpacks = {};

  friend bool operator==(const AppSpec&, const AppSpec&) = default;
};

AppSpec parse_app_spec(const json::Value& app);
json::Value encode_app_spec(const AppSpec& spec);
// The spec with this release as the one to run: quantities stay, also those of types that it lacks, as far as
// there is room for them (kMaxProcessTypes); a new web gets 1, others 0.
AppSpec with_release(AppSpec spec, const Release& release);
// The quantities of the types that a release has.
std::map<std::string, int> formation_of(const AppSpec& spec, const Release& release);
// True when everything was written that follows from the spec.
bool is_rolled_out(const json::Value& app);

}  // namespace skiff::platform
