#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

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

Result<json::Value> merge_map(json::Value original, const json::Value& patch, const Place& place);

Result<void> retain_keys(json::Value& original, const json::Value& patch) {
  const json::Value* retained = patch.find(kRetainKeys);
  if (retained == nullptr) return {};
  if (!retained->is_array()) return malformed("invalid patch format of retainKeys");
  std::set<std::string_view> kept;
  for (const auto& one : retained->items()) kept.insert(one.str());
  for (const auto& [key, value] : patch.members()) {
    if (!value.is_null() && !is_directive(key) && !kept.contains(key))
      return malformed("invalid patch format of retainKeys");
  }
  std::erase_if(original.edit_members(),
                [&](const json::Member& member) { return !kept.contains(member.first); });
  return {};
}

json::Array without_repeats(json::Array items) {
  std::set<std::string> seen;
  json::Array result;
  for (auto& item : items) {
    if (seen.insert(element_identity(item, "")).second) result.push_back(std::move(item));
  }
  return result;
}

json::Value delete_from(const json::Value& list, const json::Value& removed) {
  std::set<std::string> gone;
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
  std::set<std::string> deleted;
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
  std::map<std::string, size_t> index;
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

// Merges the list that one $setElementOrder speaks of; true when nothing of it is left to do.
Result<bool> merge_ordered_list(json::Value& original, const json::Value& patch, const std::string& name,
                                const json::Value& order, const Place& place) {
  const json::Value changes = patch[name];
  const json::Value before = original[name];
  PlaceOfField field = field_of(place, name);
  const bool patched = patch.contains(name);
  if (!order.is_array()) return malformed(fmt::format("{}{} must be a list", kOrderPrefix, name));
  if (patched && !changes.is_array()) return false;  // null deletes: the common path does it
  SKIFF_RETURN_IF_ERROR(check_element_order(changes.items(), order.items(), field.merge_key));
  if (!before.is_array() && !patched) return true;
  json::Value merged = before.is_array() ? before : without_directives(changes);
  if (before.is_array() && patched) {
    auto result = merge_list(before, changes, field);
    if (!result) return std::unexpected(result.error());
    merged = std::move(*result);
  }
  original.set(name, order_elements(merged.items(), order.items(), before.items(), field.merge_key));
  return true;
}

Result<void> merge_field(json::Value& original, const std::string& key, const json::Value& value,
                         const Place& place) {
  if (key.starts_with(kDeletePrefix)) {
    std::string name = key.substr(kDeletePrefix.size());
    if (original[name].is_array()) original.set(name, delete_from(original[name], value));
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

// What the patch sets to null is left out in one pass: each removal by itself moves all that follows.
json::Value without_nulls(const json::Value& original, const json::Value& patch) {
  json::Members kept;
  for (const auto& member : original.members()) {
    const json::Value* change = patch.find(member.first);
    if (change == nullptr || !change->is_null()) kept.push_back(member);
  }
  return json::Value::object(std::move(kept));
}

Result<json::Value> merge_map(json::Value original, const json::Value& patch, const Place& place) {
  if (const json::Value* directive = patch.find(kDirective)) {
    const std::string& name = directive->str();
    if (name != "replace" && name != "delete" && name != "merge")
      return contradictory(fmt::format("unknown patch type: {} in map: {}", name, print_go(patch)));
    if (name == "delete") return json::Value::object();
    if (name == "replace") {
      json::Value whole = patch;
      whole.erase(kDirective);
      return whole;
    }
  }
  SKIFF_RETURN_IF_ERROR(retain_keys(original, patch));
  std::set<std::string_view> done;
  for (const auto& [key, value] : patch.members()) {
    if (!key.starts_with(kOrderPrefix)) continue;
    const std::string_view name = std::string_view(key).substr(kOrderPrefix.size());
    const auto merged = merge_ordered_list(original, patch, std::string(name), value, place);
    if (!merged) return std::unexpected(merged.error());
    if (*merged) done.insert(name);
  }
  original = without_nulls(original, patch);
  for (const auto& [key, value] : patch.members()) {
    const bool directive = is_directive(key) && !key.starts_with(kDeletePrefix);
    if (value.is_null() || directive || done.contains(key)) continue;
    SKIFF_RETURN_IF_ERROR(merge_field(original, key, value, place));
  }
  return original;
}

}  // namespace

namespace {

// More of a refused patch is not repeated in an error.
constexpr size_t kMaxShown = 16 << 10;

void print_go_to(const json::Value& value, std::string& out) {
  if (out.size() > kMaxShown) return;
  if (value.is_null()) {
    out += "<nil>";
  } else if (value.is_string()) {
    out += value.str();
  } else if (value.is_array()) {
    out += '[';
    for (const auto& item : value.items()) {
      if (&item != &value.items().front()) out += ' ';
      print_go_to(item, out);
      if (out.size() > kMaxShown) break;
    }
    out += ']';
  } else if (value.is_object()) {
    auto members = value.members();
    std::ranges::sort(members, {}, &json::Member::first);
    out += "map[";
    for (const auto& member : members) {
      if (&member != &members.front()) out += ' ';
      out += member.first + ":";
      print_go_to(member.second, out);
      if (out.size() > kMaxShown) break;
    }
    out += ']';
  } else {
    json::encode_to(value, out);
  }
}

}  // namespace

std::string print_go(const json::Value& value) {
  std::string out;
  print_go_to(value, out);
  if (out.size() <= kMaxShown) return out;
  out.resize(kMaxShown);
  return out + " ...";
}

Result<json::Value> apply_strategic_merge_patch(const Type& type, const json::Value& object,
                                                const json::Value& patch) {
  if (!patch.is_object()) return malformed("a strategic merge patch is an object");
  return merge_map(object, patch, Place{&type, nullptr});
}

}  // namespace skiff::kube
