// Errors of the Platform API in Heroku's form: an id for programs, a message for people. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

namespace skiff::platform {

net::Response json_response(int status, const json::Value& value);
// `resource` names what was not found ("app"), "" for nothing particular.
net::Response error_response(const Error& error, std::string_view resource = "");
// Git asked about an app that was not found: because there is none, or because nobody could say.
net::Response git_without_app(const std::string& app, const Error& error);
// It has another name now.
net::Response git_renamed_app(const std::string& app, const std::string& now, const std::string& git_url);
// The same for a question or a change about an app. Retry-After tells clients that nothing was begun.
net::Response json_without_app(const Error& error);
// No such path, or not this verb.
std::unexpected<Error> no_endpoint();

}  // namespace skiff::platform
