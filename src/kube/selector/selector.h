// Label and field selectors. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace skiff::kube {

struct Requirement {
  // kEquals and kNotEquals are kIn and kNotIn of one value; they differ only in how they are written.
  enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGreater, kLess, kEquals, kNotEquals };
  Operator op = Operator::kIn;
  std::string key;
  std::vector<std::string> values;
};

class LabelSelector {
 public:
  // "a=b,c in (d,e),!f"; error texts are upstream's ("unable to parse requirement: ...").
  static Result<LabelSelector> parse(std::string_view text);
  // A metav1.LabelSelector object; null selects nothing, {} selects everything.
  static Result<LabelSelector> from_object(const json::Value& selector);
  // A plain map as in Service.spec.selector.
  static LabelSelector from_map(const json::Value& labels);
  bool matches(const json::Value& labels) const;
  bool empty() const { return requirements_.empty() && !nothing_; }
  // The canonical text, sorted by key; "" when empty.
  std::string to_string() const;
  const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;
  bool nothing_ = false;
};

struct FieldRequirement {
  std::string path, value;
  bool equal = true;
};
class FieldSelector {
 public:
  static Result<FieldSelector> parse(std::string_view text);
  const std::vector<FieldRequirement>& requirements() const { return requirements_; }
  bool empty() const { return requirements_.empty(); }
  // Fields are looked up by their dotted path; booleans compare as "true"/"false", numbers as decimals,
  // absent ones as their zero value ("", and "false" or "0" for the known boolean and number fields).
  // In custom objects every path is just that, and every absent field counts as "".
  enum class Paths { kOfBuiltIns, kAsWritten };
  bool matches(const json::Value& object, Paths paths = Paths::kOfBuiltIns) const;

 private:
  std::vector<FieldRequirement> requirements_;
};
// The field paths a built-in kind may be selected by (metadata.name and metadata.namespace always).
bool is_selectable_field(std::string_view group, std::string_view kind, std::string_view path);

}  // namespace skiff::kube
