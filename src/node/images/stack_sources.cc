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

bool keep_stanza(const std::string& stanza, const std::string& codename) {
  bool release = false, binary = false;
  for (const auto& line : split(stanza, '\n')) {
    const auto halves = split_once(line, ":");
    for (const auto& word : split(trim(halves.after), ' ')) {
      if (halves.before == "Suites" && is_release(word, codename)) release = true;
      if (halves.before == "Types" && word == "deb") binary = true;
      if (halves.before == "Enabled" && word == "no") return false;
    }
  }
  return release && binary && is_debian(stanza);
}

}  // namespace

AptSources pick_sources(const std::string& one_line, const std::string& deb822, const std::string& codename) {
  AptSources out;
  for (const auto& line : split(one_line, '\n')) {
    if (keep_line(line, codename)) out.one_line += line + "\n";
  }
  std::string stanza;
  for (const auto& line : split(deb822 + "\n\n", '\n')) {
    if (line.starts_with("#")) continue;
    if (!trim(line).empty()) {
      stanza += line + "\n";
      continue;
    }
    if (keep_stanza(stanza, codename)) out.deb822 += stanza + "\n";
    stanza.clear();
  }
  if (out.one_line.empty() && out.deb822.empty()) {
    out.one_line = "deb http://deb.debian.org/debian " + codename + " main\n" +
                   "deb http://deb.debian.org/debian-security " + codename + "-security main\n";
  }
  return out;
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
