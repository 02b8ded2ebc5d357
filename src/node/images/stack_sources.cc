#include <algorithm>
#include <map>

#include "base/strings.h"
#include "node/images/stack.h"

namespace skiff::node {

namespace {

// "bookworm", "bookworm-updates", "bookworm-security", …
bool is_release(std::string_view suite, const std::string& codename) {
  return suite == codename || suite.starts_with(codename + "-");
}

bool is_debian(std::string_view text) {
  return text.find("/debian") != std::string_view::npos ||
         text.find("deb.debian.org") != std::string_view::npos;
}

bool keep_line(const std::string& line, const std::string& codename) {
  if (!line.starts_with("deb ")) return false;
  for (const auto& word : split(line, ' ')) {
    if (is_release(word, codename)) return is_debian(line);
  }
  return false;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& word : split(text, ' ')) {
    if (const auto bare = trim(word); !bare.empty()) out.emplace_back(bare);
  }
  return out;
}

// The fields of a deb822 stanza; a line that begins with a space goes on with the one before.
std::map<std::string, std::string> parse_stanza(const std::string& stanza) {
  std::map<std::string, std::string> out;
  std::string name;
  for (const auto& line : split(stanza, '\n')) {
    if (line.starts_with(" ") || line.starts_with("\t")) {
      if (!name.empty()) out[name] += " " + std::string(trim(line));
      continue;
    }
    const auto halves = split_once(line, ":");
    name = std::string(trim(halves.before));
    out[name] = std::string(trim(halves.after));
  }
  return out;
}

// The lines of the one-line style that say the same, for the release's own suites.
std::string to_lines(std::map<std::string, std::string> fields, const std::string& codename) {
  const auto types = words_of(fields["Types"]);
  if (std::find(types.begin(), types.end(), "deb") == types.end() || fields["Enabled"] == "no") return {};
  // A key that stands in the stanza itself has no place in a line; Debian's own are trusted anyway.
  const std::string& key = fields["Signed-By"];
  const std::string options =
      key.starts_with("/") && key.find(' ') == std::string::npos ? "[signed-by=" + key + "] " : "";
  std::string out;
  for (const auto& address : words_of(fields["URIs"])) {
    for (const auto& suite : words_of(fields["Suites"])) {
      if (!is_debian(address) || !is_release(suite, codename)) continue;
      out +=
          "deb " + options + address + " " + suite + " " + join(words_of(fields["Components"]), " ") + "\n";
    }
  }
  return out;
}

}  // namespace

std::string pick_sources(const std::string& one_line, const std::string& deb822,
                         const std::string& codename) {
  std::string out, stanza;
  for (const auto& line : split(one_line, '\n')) {
    if (keep_line(line, codename)) out += line + "\n";
  }
  for (const auto& line : split(deb822 + "\n\n", '\n')) {
    if (line.starts_with("#")) continue;
    if (!trim(line).empty()) {
      stanza += line + "\n";
      continue;
    }
    out += to_lines(parse_stanza(stanza), codename);
    stanza.clear();
  }
  if (!out.empty()) return out;
  return "deb http://deb.debian.org/debian " + codename + " main\n" +
         "deb http://deb.debian.org/debian-security " + codename + "-security main\n";
}

std::vector<std::string> proxy_options(const std::string& apt_config) {
  std::vector<std::string> out;
  for (const auto& line : split(apt_config, '\n')) {
    const auto name = split_once(line, " ").before;
    if (name.starts_with("Acquire::") && name.find("Proxy") != std::string_view::npos &&
        line.ends_with("\";")) {
      out.push_back("--aptopt=" + line);
    }
  }
  return out;
}

}  // namespace skiff::node
