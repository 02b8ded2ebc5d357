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
// No such path, or not this verb.
std::unexpected<Error> no_endpoint();

}  // namespace skiff::platform
