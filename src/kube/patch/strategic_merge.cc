#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/strings.h"
#include "kube/patch/element_order.h"
#include "kube/patch/patch.h"
#include "kube/patch/strategic_schema.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeletePrefix = "$deleteFromPrimitiveList/";
constexpr std::string_view kOrderPrefix = "$setElementOrder/";

std::unexpected<Error> malformed(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

std::unexpected<Error> contradictory(std::string message) {
  return fail(Code::kInternal, std::move(message));
}

bool is_directive(std::string_view key) {
  return key == kDirective || key == kRetainKeys || key.starts_with(kDeletePrefix) ||
         key.starts_with(kOrderPrefix);
}

// What a patch means where there is nothing to merge with: no nulls, no directives, no deleted elements.
json::Value without_directives(const json::Value& value) {
  if (value.is_array()) {
    json::Value result = json::Value::array();
    for (const auto& item : value.items()) {
      if (!item.contains(kDirective)) result.push_back(without_directives(item));
    }
    return result;
  }
  if (!value.is_object()) return value;
  json::Value result = json::Value::object();
  for (const auto& [key, item] : value.members()) {
    if (!item.is_null() && !is_directive(key)) result.set(key, without_directives(item));
  }
  return result;
}

Result<json::Value> merge_map(json::Value original, json::Value patch, const Place& place);

Result<void> retain_keys(json::Value& original, json::Value& patch) {
  const json::Value* found = patch.find(kRetainKeys);
  if (found == nullptr) return {};
  const json::Value retained = *found;
  patch.erase(kRetainKeys);
  auto keeps = [&](const std::string& key) {
    return std::ranges::any_of(retained.items(), [&](const json::Value& one) { return one.str() == key; });
  };
  if (!retained.is_array()) return malformed("invalid patch format of retainKeys");
  for (const auto& [key, value] : patch.members()) {
    bool counts = !value.is_null() && !key.starts_with(kDeletePrefix) && !key.starts_with(kOrderPrefix);
    if (counts && !keeps(key)) return malformed("invalid patch format of retainKeys");
  }
  std::erase_if(original.edit_members(), [&](const json::Member& member) { return !keeps(member.first); });
  return {};
}

json::Array without_repeats(json::Array items) {
  std::unordered_set<std::string> seen;
  json::Array result;
  for (auto& item : items) {
    if (seen.insert(element_identity(item, "")).second) result.push_back(std::move(item));
  }
  return result;
}

json::Value delete_from(const json::Value& list, const json::Value& removed) {
  std::unordered_set<std::string> gone;
  for (const auto& item : removed.items()) gone.insert(element_identity(item, ""));
  json::Array kept;
  for (const auto& item : list.items()) {
    if (!gone.contains(element_identity(item, ""))) kept.push_back(item);
  }
  return json::Value(std::move(kept));
}

// Obeys elements that carry $patch and takes them out of `patch`.
Result<void> obey_elements(json::Array& original, json::Array& patch, std::string_view merge_key) {
  json::Array plain;
  std::unordered_set<std::string> deleted;
  bool replaces = false;
  for (const auto& element : patch) {
    const json::Value* directive = element.find(kDirective);
    if (directive == nullptr) {
      plain.push_back(element);
    } else if (directive->str() == "delete") {
      if (!element.contains(merge_key)) return malformed("delete patch type with no merge key defined");
      deleted.insert(element_identity(element, merge_key));
    } else if (directive->str() == "replace") {
      replaces = true;
    } else if (directive->str() == "merge") {
      return malformed("merging lists cannot yet be specified in the patch");
    } else {
      return contradictory(
          fmt::format("unknown patch type: {} in map: {}", directive->str(), print_go(element)));
    }
  }
  std::erase_if(original, [&](const json::Value& one) {
    return !deleted.empty() && deleted.contains(element_identity(one, merge_key));
  });
  if (replaces) {
    original = std::move(plain);
    plain.clear();
  }
  patch = std::move(plain);
  return {};
}

Result<json::Array> merge_objects(json::Array merged, const json::Array& patch, const PlaceOfField& field) {
  std::unordered_map<std::string, size_t> index;
  for (size_t i = 0; i < merged.size(); ++i) index.emplace(element_identity(merged[i], field.merge_key), i);
  for (const auto& element : patch) {
    if (!element.contains(field.merge_key)) {
      return contradictory(
          fmt::format("map: {} does not contain declared merge key: {}", print_go(element), field.merge_key));
    }
    auto [same, fresh] = index.emplace(element_identity(element, field.merge_key), merged.size());
    if (fresh) {
      merged.push_back(without_directives(element));
      continue;
    }
    auto value = merge_map(merged[same->second], element, field.place);
    if (!value) return std::unexpected(value.error());
    merged[same->second] = std::move(*value);
  }
  return merged;
}

Result<json::Value> merge_list(const json::Value& original, const json::Value& patch,
                               const PlaceOfField& field) {
  if (!field.merges) return patch;
  json::Array server = original.items();
  json::Array wanted = patch.items();
  bool objects = (server.empty() ? patch.at(0) : server.front()).is_object();
  json::Array merged = server;
  if (!objects) {
    merged.insert(merged.end(), wanted.begin(), wanted.end());
    return json::Value(order_elements(without_repeats(std::move(merged)), wanted, server, ""));
  }
  if (field.merge_key.empty()) return malformed("cannot merge lists without merge key");
  SKIFF_RETURN_IF_ERROR(obey_elements(server, wanted, field.merge_key));
  auto result = merge_objects(server, wanted, field);
  if (!result) return std::unexpected(result.error());
  return json::Value(order_elements(*result, wanted, server, field.merge_key));
}

// Merges the list that one $setElementOrder speaks of, and takes both out of `patch`.
Result<void> merge_ordered_list(json::Value& original, json::Value& patch, const std::string& directive,
                                const Place& place) {
  std::string name = directive.substr(kOrderPrefix.size());
  const json::Value order = patch[directive];
  const json::Value changes = patch[name];
  const json::Value before = original[name];
  PlaceOfField field = field_of(place, name);
  bool patched = patch.contains(name);
  patch.erase(directive);
  if (!order.is_array()) return malformed(fmt::format("{} must be a list", directive));
  if (patched && !changes.is_array()) return {};  // null deletes: the common path does it
  SKIFF_RETURN_IF_ERROR(check_element_order(changes.items(), order.items(), field.merge_key));
  patch.erase(name);
  if (!before.is_array() && !patched) return {};
  json::Value merged = before.is_array() ? before : without_directives(changes);
  if (before.is_array() && patched) {
    auto result = merge_list(before, changes, field);
    if (!result) return std::unexpected(result.error());
    merged = std::move(*result);
  }
  original.set(name, order_elements(merged.items(), order.items(), before.items(), field.merge_key));
  return {};
}

Result<void> merge_field(json::Value& original, const std::string& key, const json::Value& value,
                         const Place& place) {
  if (key.starts_with(kDeletePrefix)) {
    std::string name = key.substr(kDeletePrefix.size());
    if (original[name].is_array()) original.set(name, delete_from(original[name], value));
    return {};
  }
  if (value.is_null()) {
    original.erase(key);
    return {};
  }
  const json::Value before = original[key];
  PlaceOfField field = field_of(place, key);
  if (before.is_object() && value.is_object()) {
    if (field.replaces) {
      original.set(key, value);
      return {};
    }
    auto merged = merge_map(before, value, field.place);
    if (!merged) return std::unexpected(merged.error());
    original.set(key, std::move(*merged));
  } else if (before.is_array() && value.is_array()) {
    auto merged = merge_list(before, value, field);
    if (!merged) return std::unexpected(merged.error());
    original.set(key, std::move(*merged));
  } else {
    original.set(key, without_directives(value));
  }
  return {};
}

Result<json::Value> merge_map(json::Value original, json::Value patch, const Place& place) {
  if (const json::Value* directive = patch.find(kDirective)) {
    std::string name = directive->str();
    if (name != "replace" && name != "delete" && name != "merge")
      return contradictory(fmt::format("unknown patch type: {} in map: {}", name, print_go(patch)));
    patch.erase(kDirective);
    if (name == "replace") return patch;
    if (name == "delete") return json::Value::object();
  }
  SKIFF_RETURN_IF_ERROR(retain_keys(original, patch));
  const json::Value directives = patch;
  for (const auto& [key, value] : directives.members()) {
    if (key.starts_with(kOrderPrefix)) SKIFF_RETURN_IF_ERROR(merge_ordered_list(original, patch, key, place));
  }
  const json::Value fields = patch;
  for (const auto& [key, value] : fields.members())
    SKIFF_RETURN_IF_ERROR(merge_field(original, key, value, place));
  return original;
}

}  // namespace

std::string print_go(const json::Value& value) {
  if (value.is_null()) return "<nil>";
  if (value.is_string()) return value.str();
  std::vector<std::string> parts;
  for (const auto& item : value.items()) parts.push_back(print_go(item));
  if (value.is_array()) return fmt::format("[{}]", join(parts, " "));
  if (!value.is_object()) return json::encode(value);
  auto members = value.members();
  std::ranges::sort(members, {}, &json::Member::first);
  for (const auto& [name, member] : members) parts.push_back(name + ":" + print_go(member));
  return fmt::format("map[{}]", join(parts, " "));
}

Result<json::Value> apply_strategic_merge_patch(const Type& type, const json::Value& object,
                                                const json::Value& patch) {
  if (!patch.is_object()) return malformed("a strategic merge patch is an object");
  return merge_map(object, patch, Place{&type, nullptr});
}

}  // namespace skiff::kube
