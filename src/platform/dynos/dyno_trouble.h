// Why a dyno does not run, for people: what its pod says of scheduling, of starting, of its last end. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace skiff::platform {

struct DynoTrouble {
  enum class Kind {
    kNone,     // it runs, or is on its way
    kNoRoom,   // no node takes it; it starts as soon as one does
    kWaiting,  // something else is missing: its image, a volume
    kCrashed,  // its process ended
  } kind = Kind::kNone;
  std::string why;  // "exited with status 1"; "" for none
};

// What Heroku says of a web process that never listened.
std::string boot_timeout_text();
DynoTrouble find_trouble(const json::Value& pod);
// A dyno that crashes again and again, or that never listened: no use in waiting for it.
bool has_failed(const json::Value& pod);
bool is_ready(const json::Value& pod);
// "web.1", also before its name is written.
std::string name_of_dyno(const json::Value& pod);
// Of the release that the pod runs; 0 when it has none.
int release_of(const json::Value& pod);

}  // namespace skiff::platform
