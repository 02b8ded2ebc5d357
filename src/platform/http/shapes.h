// The JSON shapes of Heroku's Platform API (version 3), from the platform's own values. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "platform/apps/apps.h"

namespace skiff::platform {

json::Value app_shape(const json::Value& name_space, const std::string& web_url, const std::string& git_url);
json::Value release_shape(const std::string& app, const Release& release, bool current);
json::Value formation_shape(const std::string& app, const Apps::Process& process);
// Dynos in order of creation: web.1, web.2, ... of each type.
json::Value dyno_shapes(const std::string& app, const std::vector<json::Value>& pods);
// "starting", "up", "crashed", "down".
std::string dyno_state(const json::Value& pod);

}  // namespace skiff::platform
