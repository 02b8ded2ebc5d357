// The JSON shapes of Heroku's Platform API (version 3), from the platform's own values. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "platform/apps/apps.h"

namespace skiff::platform {

constexpr const char* kDynoSize = "Basic";  // there is one

json::Value app_shape(const json::Value& app, const std::string& web_url, const std::string& git_url);
enum class IsCurrent { kNo, kYes };
// `serving` as in the App's status: "v2, v3".
json::Value release_shape(const std::string& app, const Release& release, IsCurrent current,
                          std::string_view serving = "");
// Who does all things: an instance has one user.
json::Value user_shape();
json::Value stack_shape();
json::Value build_shape(const std::string& app, const json::Value& build);
json::Value formation_shape(const std::string& app, const Apps::Process& process);
// Dynos by type, release and number, each with what keeps it from running ("reason"); those that are being
// stopped are left out.
json::Value dyno_shapes(const std::string& app, const std::vector<json::Value>& pods);
// "starting", "up", "crashed", "down".
std::string dyno_state(const json::Value& pod);

}  // namespace skiff::platform
