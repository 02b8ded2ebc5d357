#include "kube/schema/field_path.h"

#include <fmt/format.h>

namespace skiff::kube {

void FieldPath::append_to(std::string& out, Entries entries) const {
  if (above_ == nullptr) return;
  above_->append_to(out, entries);
  if (out.size() >= json::kMaxShownPath) return;
  if (step_ != Step::kField && entries == Entries::kHidden) return;
  const std::string_view shown = name_.substr(0, json::kMaxShownPath);
  if (step_ == Step::kIndex) {
    out += fmt::format("[{}]", index_);
  } else if (step_ == Step::kKey) {
    out += fmt::format("[{}]", shown);
  } else {
    if (!out.empty()) out += '.';
    out += shown;
  }
}

std::string FieldPath::text() const {
  std::string out;
  append_to(out, Entries::kShown);
  return out;
}

std::string FieldPath::field_names() const {
  std::string out;
  append_to(out, Entries::kHidden);
  return out;
}

}  // namespace skiff::kube
