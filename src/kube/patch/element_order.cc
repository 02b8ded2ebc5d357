#include "kube/patch/element_order.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "kube/patch/patch.h"

namespace skiff::kube {

namespace {

// Ordered, not hashed: the identities come from outside, and may be chosen to collide.
using Index = std::map<std::string, size_t>;

Index index_of(const json::Array& list, std::string_view merge_key) {
  Index result;
  for (size_t i = 0; i < list.size(); ++i) result.emplace(element_identity(list[i], merge_key), i);
  return result;
}

std::optional<size_t> find_in(const Index& index, const std::string& identity) {
  auto found = index.find(identity);
  return found != index.end() ? std::optional(found->second) : std::nullopt;
}

struct Ranked {
  size_t rank;
  std::optional<size_t> place;  // in the list before
  const json::Value* value;
};

}  // namespace

std::string element_identity(const json::Value& element, std::string_view merge_key) {
  return json::encode(merge_key.empty() ? element : element[merge_key]);
}

json::Array order_elements(const json::Array& merged, const json::Array& wanted, const json::Array& server,
                           std::string_view merge_key) {
  const Index ranks = index_of(wanted, merge_key);
  const Index places = index_of(server, merge_key);
  std::vector<Ranked> named, others;
  for (const auto& element : merged) {
    std::string identity = element_identity(element, merge_key);
    auto place = find_in(places, identity);
    if (auto rank = find_in(ranks, identity)) {
      named.push_back({*rank, place, &element});
    } else {
      others.push_back({place.value_or(server.size()), place, &element});
    }
  }
  std::ranges::sort(named, {}, &Ranked::rank);
  std::ranges::sort(others, {}, &Ranked::rank);
  json::Array result;
  result.reserve(merged.size());
  size_t next = 0;
  for (const auto& one : named) {
    while (one.place && next < others.size() && others[next].rank < *one.place) {
      result.push_back(*others[next++].value);
    }
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
    const std::string identity = element_identity(element, merge_key);
    while (at < order.size() && element_identity(order[at], merge_key) != identity) ++at;
    if (at == order.size()) {
      return fail(Code::kInternal,
                  fmt::format("The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                              print_go(named), print_go(order)));
    }
    ++at;
  }
  return {};
}

}  // namespace skiff::kube
