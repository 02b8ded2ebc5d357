// What people read about a rollout. Pure.
#pragma once

#include <string>

#include "platform/apps/rollout.h"

namespace skiff::platform {

// Lines as a push shows them. `lines` are the last ones of the dyno that is in trouble, "" for none.
std::string rollout_text(const std::string& app, const std::string& url, const Rollout& rollout,
                         const std::string& lines);

}  // namespace skiff::platform
