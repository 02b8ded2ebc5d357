#include "kube/server/selection.h"

#include <algorithm>

#include "kube/server/status.h"

namespace skiff::kube {

namespace {

bool may_select(const Kind& kind, const std::string& path) {
  if (!kind.custom) return is_selectable_field(kind.group, kind.kind, path);
  if (path == "metadata.name") return true;
  if (path == "metadata.namespace") return kind.namespaced;
  return std::ranges::find(kind.selectable_fields, path) != kind.selectable_fields.end();
}

}  // namespace

bool Selection::matches(const json::Value& object) const {
  if (!name.empty() && object["metadata"]["name"].str() != name) return false;
  return labels.matches(object["metadata"]["labels"]) && fields.matches(object, paths);
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
    if (may_select(kind, requirement.path)) continue;
    const bool event = kind.kind == "Event" && (kind.group.empty() || kind.group == "events.k8s.io");
    const bool special = kind.custom || event || (kind.group.empty() && kind.kind == "Pod");
    return std::unexpected(bad_request(
        special ? "field label not supported: " + requirement.path
                : "\"" + requirement.path +
                      "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""));
  }
  out.fields = std::move(*fields);
  if (kind.custom) out.paths = FieldSelector::Paths::kAsWritten;
  return out;
}

}  // namespace skiff::kube
