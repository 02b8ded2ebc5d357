// What people are told about a dyno, in Heroku's words: from the state of its pod and what was told before.
//
// A level, not an edge, decides: whatever was missed while nobody looked is told when somebody does. Told is
// a few characters that are kept with the log.
//
//   (nothing) ─start─► starting ─ready─► up ─exit─► crashed ─start─► starting …
//   any ─pod is deleted─► stopping ─exit─► down
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace skiff::platform {

struct ToldDyno {
  int64_t starts = 0;  // instances of the container whose start was told
  std::string state;   // "", "starting", "up", "crashed", "stopping", "down"

  friend bool operator==(const ToldDyno&, const ToldDyno&) = default;
};

std::string encode_told(const ToldDyno& told);  // "2.up"
ToldDyno parse_told(std::string_view text);

// The lines that are to be told now; `told` becomes what is told then.
std::vector<std::string> plan_dyno_lines(const json::Value& pod, ToldDyno& told);

}  // namespace skiff::platform
