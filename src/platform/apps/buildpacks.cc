#include "platform/apps/buildpacks.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::platform {

namespace {

using json::Value;

// The names that mean a built-in buildpack (buildpacks/NAME), as Heroku calls them.
struct BuiltIn {
  std::string_view group, name;
};
constexpr BuiltIn kBuiltIn[] = {
    {"heroku", "ruby"}, {"heroku", "nodejs"},           {"heroku", "python"},
    {"heroku", "java"}, {"heroku", "gradle"},           {"heroku", "go"},
    {"skiff", "cpp"},   {"heroku-community", "static"}, {"heroku-community", "apt"},
};
constexpr std::string_view kRegistryPrefix =
    "urn:buildpack:";  // how Heroku's API writes a name as an address
constexpr std::string_view kHidden = "***@";

std::string full_name(const BuiltIn& pack) {
  return fmt::format("{}/{}", pack.group, pack.name);
}

std::string name_all() {
  std::vector<std::string> names;
  for (const auto& pack : kBuiltIn) names.push_back(full_name(pack));
  return join(names, ", ");
}

bool is_shown_character(char c) {
  return c > 0x20 && c < 0x7f;
}

// In messages, which may be about anything.
std::string excerpt(std::string_view text) {
  constexpr size_t kShown = 100;
  std::string out = show_buildpack(text.substr(0, kShown));
  std::ranges::replace_if(out, [](char c) { return !is_shown_character(c); }, '?');
  return text.size() > kShown ? out + "..." : out;
}

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("{} can't be a buildpack: {}", excerpt(text), why));
}

// Where the part of an address with user and host begins; npos for what is no address.
size_t authority_of(std::string_view address) {
  const size_t scheme = address.find("://");
  return scheme == address.npos ? address.npos : scheme + 3;
}

Result<std::string> parse_address(std::string_view text) {
  const auto scheme = text.substr(0, text.find(':'));
  if (scheme == "ssh" || (authority_of(text) == text.npos && text.find('@') != text.npos)) {
    return refuse(text, "a build has no key for ssh; name its https address");
  }
  if ((scheme != "https" && scheme != "http") || authority_of(text) == text.npos) {
    return refuse(text, "an address begins with https://");
  }
  const auto rest = text.substr(authority_of(text));
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  const size_t at = authority.rfind('@');
  const auto host = at == authority.npos ? authority : authority.substr(at + 1);
  if (host.empty() || host.front() == ':') return refuse(text, "its address names no host");
  const size_t path = rest.find('/');
  if (path == rest.npos || path + 1 >= rest.find('#') || path + 1 == rest.size()) {
    return refuse(text, "its address names no repository");
  }
  if (std::ranges::count(text, '#') > 1 || text.ends_with('#') || text.find("#-") != text.npos) {
    return refuse(text, "a branch or tag stands once behind a #, as in https://host/pack.git#v2");
  }
  return std::string(text);
}

// An entry of a list whose passwords are hidden, as what it was.
Result<std::string> reveal(const std::string& entry, const std::vector<std::string>& present) {
  if (show_buildpack(entry) != entry || entry.find(kHidden) == entry.npos) return entry;
  for (const auto& known : present) {
    if (known != entry && show_buildpack(known) == entry) return known;
  }
  return refuse(entry,
                "*** stands for a password, and the app has no such buildpack; write the password out");
}

}  // namespace

Result<std::string> parse_buildpack(std::string_view text) {
  if (text.starts_with(kRegistryPrefix)) text.remove_prefix(kRegistryPrefix.size());
  if (text.size() > kMaxBuildpackBytes) {
    return refuse(text, fmt::format("it is longer than {} characters", kMaxBuildpackBytes));
  }
  if (text.empty())
    return fail(Code::kInvalidArgument, "a buildpack's name is empty; there are " + name_all());
  if (!std::ranges::all_of(text, is_shown_character)) {
    return refuse(text,
                  "a name or address has no spaces, control characters or letters beyond ASCII (write %20)");
  }
  if (text.find(':') != text.npos || text.find('@') != text.npos) return parse_address(text);
  const auto halves = split_once(text, "/");
  for (const auto& pack : kBuiltIn) {
    if (text == pack.name || text == full_name(pack)) return full_name(pack);
    if (halves.before == "skiff" && halves.after == pack.name) return std::string(text);
  }
  return fail(
      Code::kInvalidArgument,
      fmt::format("There is no buildpack {}: there are {}, and those that you name by the https address of "
                  "their git repository or archive",
                  excerpt(text), name_all()));
}

std::string show_buildpack(std::string_view entry) {
  const size_t start = authority_of(entry);
  if (start == entry.npos) return std::string(entry);
  const auto authority = entry.substr(start, entry.find_first_of("/?#", start) - start);
  const size_t at = authority.rfind('@');
  if (at == authority.npos) return std::string(entry);
  return fmt::format("{}{}{}", entry.substr(0, start), kHidden, entry.substr(start + at + 1));
}

Result<std::vector<std::string>> parse_buildpack_updates(const Value& body,
                                                         const std::vector<std::string>& present) {
  if (!body["updates"].is_array()) {
    return fail(Code::kInvalidArgument, "\"updates\" is a list of objects with a \"buildpack\"");
  }
  const auto& updates = body["updates"].items();
  if (updates.size() > kMaxBuildpacks) {
    return fail(Code::kInvalidArgument, fmt::format("an app has at most {} buildpacks", kMaxBuildpacks));
  }
  std::vector<std::string> entries;
  for (const auto& update : updates) {
    auto entry = parse_buildpack(update["buildpack"].str());
    if (!entry) return std::unexpected(entry.error());
    auto known = reveal(*entry, present);
    if (!known) return std::unexpected(known.error());
    if (std::ranges::find(entries, *known) != entries.end()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("The buildpack {} is named twice.", show_buildpack(*known)));
    }
    entries.push_back(std::move(*known));
  }
  return entries;
}

Value buildpack_installations(const std::vector<std::string>& entries) {
  Value out = Value::array();
  for (const auto& entry : entries) {
    const std::string name = show_buildpack(entry);
    const bool named = authority_of(entry) == std::string::npos;
    const std::string url = named ? std::string(kRegistryPrefix) + name : name;
    out.push_back(Value::object({{"ordinal", static_cast<int64_t>(out.size())},
                                 {"buildpack", Value::object({{"name", name}, {"url", url}})}}));
  }
  return out;
}

std::string buildpack_lines(const std::vector<std::string>& entries) {
  std::string out;
  for (const auto& entry : entries) out += entry + "\n";
  return out;
}

}  // namespace skiff::platform
