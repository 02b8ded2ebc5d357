// The names of dynos: "web.1", "web.2", … A new pod gets the lowest number that no other live pod of its type
// and release has, so the dynos of a formation of n are always 1 to n. While a release rolls out, the old
// web.1 and the new web.1 run side by side, as with Heroku's preboot.
//
// The name is the pod's annotation skiff.dev/dyno. Pure but for DynoNames' memory of names that are on their
// way into annotations.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace skiff::platform {

constexpr const char* kDynoAnnotation = "skiff.dev/dyno";

// The number in "web.3"; 0 when it is no such name.
int dyno_number(std::string_view name);
// The pod's name as a dyno when it has none yet: "web.x7k2p".
std::string fallback_dyno_name(const json::Value& pod);

class DynoNames {
 public:
  // The name of a pod that was given one; "" for none.
  std::string find(const json::Value& pod) const;
  // Gives the pod a name. `pods` are those of its namespace.
  std::string assign(const json::Value& pod, const std::vector<json::Value>& pods);
  void forget(const std::string& uid) { given_.erase(uid); }

 private:
  std::map<std::string, std::string> given_;  // by uid
};

// What is written to the pod: its name, and that of dynos too many those with the highest numbers go first.
json::Value dyno_name_patch(const std::string& name);

}  // namespace skiff::platform
