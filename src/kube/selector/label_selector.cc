#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "kube/selector/label_parser.h"

namespace skiff::kube {

namespace {

using Operator = Requirement::Operator;

// Requirements on one key stay in the order in which they were written.
void sort_by_key(std::vector<Requirement>& requirements) {
  std::multimap<std::string, Requirement> ordered;
  for (auto& requirement : requirements) {
    std::string key = requirement.key;
    ordered.emplace(std::move(key), std::move(requirement));
  }
  requirements.clear();
  for (auto& [key, requirement] : ordered) requirements.push_back(std::move(requirement));
}

bool compare_numbers(const Requirement& requirement, const std::string& text) {
  auto value = parse_int(text);
  auto bound = parse_int(requirement.values.at(0));
  if (!value || !bound) return false;
  return requirement.op == Operator::kGreater ? *value > *bound : *value < *bound;
}

bool meets(const Requirement& requirement, const json::Value* value) {
  bool listed =
      value != nullptr && std::ranges::find(requirement.values, value->str()) != requirement.values.end();
  switch (requirement.op) {
    case Operator::kIn:
    case Operator::kEquals:
      return listed;
    case Operator::kNotIn:
    case Operator::kNotEquals:
      return !listed;
    case Operator::kExists:
      return value != nullptr;
    case Operator::kDoesNotExist:
      return value == nullptr;
    case Operator::kGreater:
    case Operator::kLess:
      return value != nullptr && compare_numbers(requirement, value->str());
  }
  return false;
}

std::string text_of(const Requirement& requirement) {
  std::string values = join(requirement.values, ",");
  // "()" would be the empty set, which no requirement may have.
  const std::string set = values.empty() ? "," : values;
  switch (requirement.op) {
    case Operator::kIn:
      return fmt::format("{} in ({})", requirement.key, set);
    case Operator::kNotIn:
      return fmt::format("{} notin ({})", requirement.key, set);
    case Operator::kEquals:
      return requirement.key + "=" + values;
    case Operator::kNotEquals:
      return requirement.key + "!=" + values;
    case Operator::kExists:
      return requirement.key;
    case Operator::kDoesNotExist:
      return "!" + requirement.key;
    case Operator::kGreater:
      return requirement.key + ">" + values;
    case Operator::kLess:
      return requirement.key + "<" + values;
  }
  return "";
}

Result<Requirement> from_expression(const json::Value& expression) {
  Requirement result;
  result.key = expression["key"].str();
  const std::string& op = expression["operator"].str();
  if (op == "In") {
    result.op = Operator::kIn;
  } else if (op == "NotIn") {
    result.op = Operator::kNotIn;
  } else if (op == "Exists") {
    result.op = Operator::kExists;
  } else if (op == "DoesNotExist") {
    result.op = Operator::kDoesNotExist;
  } else {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a valid label selector operator", op));
  }
  for (const auto& value : expression["values"].items()) result.values.push_back(value.str());
  std::ranges::sort(result.values);
  SKIFF_RETURN_IF_ERROR(check_requirement(result));
  return result;
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  auto requirements = parse_label_requirements(text);
  if (!requirements) return std::unexpected(requirements.error());
  LabelSelector result;
  result.requirements_ = std::move(*requirements);
  sort_by_key(result.requirements_);
  return result;
}

Result<LabelSelector> LabelSelector::from_object(const json::Value& selector) {
  LabelSelector result;
  result.nothing_ = selector.is_null();
  for (const auto& [key, value] : selector["matchLabels"].members()) {
    Requirement requirement{Operator::kEquals, key, {value.str()}};
    SKIFF_RETURN_IF_ERROR(check_requirement(requirement));
    result.requirements_.push_back(std::move(requirement));
  }
  for (const auto& expression : selector["matchExpressions"].items()) {
    auto requirement = from_expression(expression);
    if (!requirement) return std::unexpected(requirement.error());
    result.requirements_.push_back(std::move(*requirement));
  }
  sort_by_key(result.requirements_);
  return result;
}

LabelSelector LabelSelector::from_map(const json::Value& labels) {
  LabelSelector result;
  for (const auto& [key, value] : labels.members()) {
    result.requirements_.push_back({Operator::kEquals, key, {value.str()}});
  }
  sort_by_key(result.requirements_);
  return result;
}

bool LabelSelector::matches(const json::Value& labels) const {
  if (nothing_) return false;
  return std::ranges::all_of(requirements_,
                             [&](const Requirement& one) { return meets(one, labels.find(one.key)); });
}

std::string LabelSelector::to_string() const {
  std::vector<std::string> pieces;
  for (const auto& requirement : requirements_) pieces.push_back(text_of(requirement));
  return join(pieces, ",");
}

}  // namespace skiff::kube
