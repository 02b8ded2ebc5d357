#include "kube/server/yaml_text.h"

#include <algorithm>

namespace skiff::kube {

namespace {

// A key that no YAML reader takes for anything but text: other keys are quoted.
bool is_plain_key(const std::string& key) {
  static constexpr std::string_view kWords[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool fits = std::ranges::all_of(key, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '/';
  });
  std::string lower = key;
  for (char& c : lower) c = static_cast<char>(letter(c) ? c | 0x20 : c);
  return fits && !key.empty() && letter(key[0]) && std::ranges::find(kWords, lower) == std::end(kWords);
}

void write(const json::Value& value, size_t indent, std::string& out);

// What follows "key:" or "-": in the same line, or a block below.
void write_child(const json::Value& value, size_t indent, std::string& out) {
  if (value.size() == 0) {
    out += ' ';
    json::encode_to(value, out);
    out += '\n';
    return;
  }
  out += '\n';
  write(value, indent, out);
}

void write(const json::Value& value, size_t indent, std::string& out) {
  for (const auto& item : value.items()) {
    out.append(indent, ' ');
    out += '-';
    write_child(item, indent + 2, out);
  }
  for (const auto& [key, member] : value.members()) {
    out.append(indent, ' ');
    if (is_plain_key(key)) {
      out += key;
    } else {
      json::encode_string_to(key, out);
    }
    out += ':';
    write_child(member, indent + 2, out);
  }
}

}  // namespace

std::string encode_yaml(const json::Value& value) {
  if (value.size() == 0) return json::encode(value) + "\n";
  std::string out;
  write(value, 0, out);
  return out;
}

}  // namespace skiff::kube
