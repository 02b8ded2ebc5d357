// The header with which clients of Heroku's API bound a list: "version ..; max=15, order=desc". Pure.
#pragma once

#include <string_view>

#include "base/json.h"

namespace skiff::platform {

// Of a list in ascending order, the part that is asked for. What is not understood changes nothing.
json::Value cut_list(const json::Value& list, std::string_view range);

}  // namespace skiff::platform
