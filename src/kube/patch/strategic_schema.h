// What a strategic merge needs to know of the place it works at. Pure; internal to kube/patch.
#pragma once

#include <string_view>

#include "kube/schema/schema.h"

namespace skiff::kube {

// A place in an object: a struct, the values of a map, or nothing known.
struct Place {
  const Type* type = nullptr;
  const Field* map = nullptr;  // set when the keys here are those of a map field
};

struct PlaceOfField {
  Place place;
  bool merges = false;    // patchStrategy has "merge"
  bool replaces = false;  // patchStrategy has "replace"
  std::string_view merge_key;
};

PlaceOfField field_of(const Place& place, std::string_view name);

}  // namespace skiff::kube
