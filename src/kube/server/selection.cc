#include "kube/server/selection.h"

#include "kube/server/status.h"

namespace skiff::kube {

bool Selection::matches(const json::Value& object) const {
  if (!name.empty() && object["metadata"]["name"].str() != name) return false;
  return labels.matches(object["metadata"]["labels"]) && fields.matches(object);
}

Result<Selection> parse_selection(const Kind& kind, std::string_view label_text,
                                  std::string_view field_text) {
  Selection out;
  auto labels = LabelSelector::parse(label_text);
  if (!labels) return std::unexpected(bad_request(labels.error().message));
  out.labels = std::move(*labels);
  auto fields = FieldSelector::parse(field_text);
  if (!fields) return std::unexpected(bad_request(fields.error().message));
  for (const auto& requirement : fields->requirements()) {
    if (is_selectable_field(kind.group, kind.kind, requirement.path)) continue;
    const bool special = kind.group.empty() && kind.kind == "Pod";
    return std::unexpected(bad_request(
        special ? "field label not supported: " + requirement.path
                : "\"" + requirement.path +
                      "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""));
  }
  out.fields = std::move(*fields);
  return out;
}

}  // namespace skiff::kube
