// What of an app is written anew under its new name, and what can't be. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "platform/apps/app_spec.h"

namespace skiff::platform {

// An App, Release or Build of the app `from`, to be made for the app `to`: with its spec, labels and
// annotations, and with when the original was made (created_at()). No status.
json::Value copy_object(std::string_view kind, const json::Value& object, const std::string& from,
                        const std::string& to);
// Its status. That of an App follows from its spec.
json::Value copy_status(std::string_view kind, const json::Value& object, const std::string& to);
// A Secret of config vars.
json::Value copy_secret(const json::Value& secret, const std::string& to);

// An app's id stays the same over renames.
const json::Value& app_id(const json::Value& app);
// What an app was called before, the newest name last; the last kKeptNames of them.
constexpr size_t kKeptNames = 10;
std::vector<std::string> former_names(const json::Value& app);

// What is in the namespace of an app that the platform did not make, "Ingress mine": it would be lost.
// `kind` is that of all `objects`.
std::vector<std::string> find_foreign(std::string_view kind, const std::vector<json::Value>& objects);

// Whether the dynos under the new name can take over.
struct Takeover {
  enum class State {
    kReady,    // of each process type as many are ready as under the old name, or as many as are asked for
    kWaiting,  // they are on their way
    kNoRoom,   // a node has to get room first
    kFailed,   // one crashes again and again, or never listened
  } state = State::kWaiting;
  std::string why;  // "web.1: exited with status 1"
};
Takeover plan_takeover(const AppSpec& spec, const std::vector<json::Value>& old_pods,
                       const std::vector<json::Value>& new_pods);

}  // namespace skiff::platform
