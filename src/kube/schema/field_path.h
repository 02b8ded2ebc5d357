// Where a value stands in an object: "spec.ports[0].name". A link to the place above it, made text only when
// there is something to say: names come from outside, and a long one would be copied for each value below it.
// Inside kube/schema only; a path lives on the stack of the walk that made it.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace skiff::kube {

class FieldPath {
 public:
  FieldPath() = default;  // the object itself
  // `name` outlives the path.
  FieldPath(const FieldPath& above, std::string_view name)
      : above_(&above), step_(Step::kField), name_(name) {}
  FieldPath(const FieldPath& above, size_t index) : above_(&above), step_(Step::kIndex), index_(index) {}
  // An entry of a map: "labels.a", which Go's encoding/json does not name, or "properties[a]".
  static FieldPath entry(const FieldPath& above, std::string_view key) { return {above, key, Step::kEntry}; }
  static FieldPath key(const FieldPath& above, std::string_view key) { return {above, key, Step::kKey}; }

  bool is_root() const { return above_ == nullptr; }
  // Each name is cut to json::kMaxShownPath bytes, and no more are added once there are so many.
  std::string text() const;
  // Names of fields alone, as Go's encoding/json gives them: no indexes, no keys of maps.
  std::string field_names() const;

 private:
  enum class Step { kRoot, kField, kIndex, kEntry, kKey };
  enum class Entries { kShown, kHidden };
  FieldPath(const FieldPath& above, std::string_view name, Step step)
      : above_(&above), step_(step), name_(name) {}
  void append_to(std::string& out, Entries entries) const;
  const FieldPath* above_ = nullptr;
  Step step_ = Step::kRoot;
  std::string_view name_;
  size_t index_ = 0;
};

}  // namespace skiff::kube
