// Where a rename stands, as annotations of the app's new namespace: making that namespace takes the name and
// says what is to become of it, in one write, so a platform that dies at any moment finds what to go on with.
// Pure.
//
//   copying ──> moved ──> (no record)    the app is `to` from "moved" on
//      └─ the namespace is deleted: undone
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace skiff::platform {

struct RenameRecord {
  std::string from, to;
  std::string uid;  // of the App that is renamed; another of its name is not
  enum class Phase {
    kCopying,  // the app is `from`; what is in `to` can be thrown away
    kMoved,    // the app is `to`; what is left of `from` goes
  } phase = Phase::kCopying;
};

// The new namespace, in phase kCopying.
json::Value claiming_namespace(const RenameRecord& record);
// Nothing when the namespace has none.
std::optional<RenameRecord> parse_rename_record(const json::Value& name_space);
// Patches of the namespace: to kMoved, and to no record.
json::Value moved_patch();
json::Value ended_patch();

}  // namespace skiff::platform
