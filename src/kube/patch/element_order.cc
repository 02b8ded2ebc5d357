#include "kube/patch/element_order.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace skiff::kube {

namespace {

std::optional<size_t> find_in(const json::Array& list, const json::Value& element,
                              std::string_view merge_key) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (is_same_element(list[i], element, merge_key)) return i;
  }
  return std::nullopt;
}

struct Ranked {
  size_t rank;
  const json::Value* value;
};

// Values as Go prints them with %v, for the one message that shows them.
std::string go_text(const json::Value& value) {
  if (value.is_string()) return value.str();
  if (value.is_null()) return "<nil>";
  std::string result;
  if (value.is_array()) {
    for (const auto& item : value.items()) result += (result.empty() ? "" : " ") + go_text(item);
    return "[" + result + "]";
  }
  if (!value.is_object()) return json::encode(value);
  json::Members members = value.members();
  std::ranges::sort(members, {}, &json::Member::first);
  for (const auto& [key, item] : members) result += (result.empty() ? "" : " ") + key + ":" + go_text(item);
  return "map[" + result + "]";
}

}  // namespace

bool is_same_element(const json::Value& a, const json::Value& b, std::string_view merge_key) {
  if (merge_key.empty()) return a == b;
  const json::Value* left = a.find(merge_key);
  const json::Value* right = b.find(merge_key);
  return left != nullptr && right != nullptr && *left == *right;
}

json::Array order_elements(const json::Array& merged, const json::Array& wanted, const json::Array& server,
                           std::string_view merge_key) {
  std::vector<Ranked> named, others;
  for (const auto& element : merged) {
    auto rank = find_in(wanted, element, merge_key);
    if (rank) {
      named.push_back({*rank, &element});
    } else {
      others.push_back({find_in(server, element, merge_key).value_or(server.size()), &element});
    }
  }
  std::ranges::sort(named, {}, &Ranked::rank);
  std::ranges::sort(others, {}, &Ranked::rank);
  json::Array result;
  result.reserve(merged.size());
  size_t next = 0;
  for (const auto& one : named) {
    auto place = find_in(server, *one.value, merge_key);
    while (place && next < others.size() && others[next].rank < *place)
      result.push_back(*others[next++].value);
    result.push_back(*one.value);
  }
  while (next < others.size()) result.push_back(*others[next++].value);
  return result;
}

Result<void> check_element_order(const json::Array& patch, const json::Array& order,
                                 std::string_view merge_key) {
  size_t at = 0;
  json::Array named;
  for (const auto& element : patch) {
    if (!element.contains("$patch")) named.push_back(element);
  }
  for (const auto& element : named) {
    while (at < order.size() && !is_same_element(order[at], element, merge_key)) ++at;
    if (at == order.size()) {
      return fail(Code::kInternal,
                  fmt::format("The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                              go_text(named), go_text(order)));
    }
    ++at;
  }
  return {};
}

}  // namespace skiff::kube
