#include "kube/print/json_path.h"

#include "base/strings.h"

namespace skiff::kube {

namespace {

std::string_view unquote(std::string_view text) {
  bool quoted =
      text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "?(@.type=="Ready")": the first item whose member equals.
const json::Value* filtered(const json::Value& list, std::string_view filter) {
  if (!filter.starts_with("?(@.") || !filter.ends_with(")")) return nullptr;
  auto [member, wanted, found] = split_once(filter.substr(4, filter.size() - 5), "==");
  if (!found) return nullptr;
  auto value = unquote(trim(wanted));
  for (const auto& item : list.items()) {
    if (item[trim(member)].str() == value) return &item;
  }
  return nullptr;
}

const json::Value* subscript(const json::Value& at, std::string_view inside) {
  if (inside.starts_with('?')) return filtered(at, inside);
  if (at.is_object()) return at.find(unquote(inside));
  auto index = inside == "*" ? 0 : parse_int(inside).value_or(0);
  if (index < 0) index += static_cast<int64_t>(at.size());
  bool there = index >= 0 && index < static_cast<int64_t>(at.size());
  return there ? &at.at(static_cast<size_t>(index)) : nullptr;
}

// Takes ".name" off the front; a backslash keeps a dot in the name.
std::string take_name(std::string_view& path) {
  std::string name;
  path.remove_prefix(1);
  while (!path.empty() && path[0] != '.' && path[0] != '[') {
    if (path[0] == '\\' && path.size() > 1) path.remove_prefix(1);
    name += path[0];
    path.remove_prefix(1);
  }
  return name;
}

}  // namespace

json::Value find_by_path(const json::Value& object, std::string_view path) {
  const json::Value* at = &object;
  if (path.starts_with('{') && path.ends_with('}')) path = path.substr(1, path.size() - 2);
  while (!path.empty() && at != nullptr) {
    if (path[0] == '.') {
      std::string name = take_name(path);
      if (!name.empty()) at = at->find(name);
      continue;
    }
    size_t end = path.find(']');
    if (path[0] != '[' || end == std::string_view::npos) return nullptr;
    at = subscript(*at, path.substr(1, end - 1));
    path.remove_prefix(end + 1);
  }
  return at != nullptr ? *at : json::Value();
}

}  // namespace skiff::kube
