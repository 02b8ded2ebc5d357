// Which objects of a collection a list, watch or deletecollection concerns. Pure.
#pragma once

#include "kube/selector/selector.h"
#include "kube/server/routes.h"

namespace skiff::kube {

struct Selection {
  LabelSelector labels;
  FieldSelector fields;
  FieldSelector::Paths paths = FieldSelector::Paths::kOfBuiltIns;
  std::string name;  // of a single object watched by its own path
  bool everything() const { return labels.empty() && fields.empty() && name.empty(); }
  bool matches(const json::Value& object) const;
};
// 400 with upstream's words for selectors that cannot be.
Result<Selection> parse_selection(const Kind& kind, std::string_view label_text, std::string_view field_text);

}  // namespace skiff::kube
