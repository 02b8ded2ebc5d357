#include "kube/patch/strategic_schema.h"

#include "base/strings.h"

namespace skiff::kube {

PlaceOfField field_of(const Place& place, std::string_view name) {
  PlaceOfField result;
  if (place.map != nullptr) {
    result.place.type = place.map->type;
    return result;
  }
  const Field* field = place.type != nullptr ? place.type->find(name) : nullptr;
  if (field == nullptr) return result;
  if (field->shape == FieldShape::kMap || field->shape == FieldShape::kMapOfLists) {
    result.place.map = field;
  } else {
    result.place.type = field->type;
  }
  for (const auto& word : split(field->patch_strategy, ',')) {
    result.merges |= word == "merge";
    result.replaces |= word == "replace";
  }
  result.merge_key = field->patch_merge_key;
  return result;
}

}  // namespace skiff::kube
