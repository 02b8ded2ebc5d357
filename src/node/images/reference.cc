#include "node/images/reference.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "node/images/image_service.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxName =
    255;  // domain and repository, spelled out; distribution/reference calls it NameTotalLengthMax
constexpr size_t kMaxTag = 128;

bool is_component(std::string_view text) {
  if (text.empty() || !std::isalnum(static_cast<unsigned char>(text.front()))) return false;
  if (!std::isalnum(static_cast<unsigned char>(text.back()))) return false;
  for (const char c : text) {
    const bool ok = std::islower(static_cast<unsigned char>(c)) ||
                    std::isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    if (!ok) return false;
  }
  return true;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kMaxTag || text.front() == '.' || text.front() == '-') return false;
  for (const char c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

bool is_digest(std::string_view text) {
  if (!text.starts_with("sha256:") || text.size() != 7 + 64) return false;
  return text.substr(7).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_host_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == ':' || c == '[' ||
         c == ']';
}

// "localhost", or anything with a dot or a port, is a registry; else it is part of the repository.
bool is_domain(std::string_view text) {
  return text == "localhost" || text.find('.') != std::string_view::npos ||
         text.find(':') != std::string_view::npos;
}

}  // namespace

std::string Reference::canonical() const {
  return domain + "/" + repository + (digest.empty() ? ":" + tag : "@" + digest);
}

Result<Reference> parse_reference(const std::string& text) {
  const auto invalid = [] { return fail(Code::kInvalidArgument, "invalid reference format"); };
  if (text.empty()) return invalid();
  Reference out;
  std::string_view rest = text;
  if (const auto halves = split_once(rest, "@"); halves.found) {
    if (!is_digest(halves.after)) return invalid();
    out.digest = halves.after;
    rest = halves.before;
  }
  const size_t slash = rest.rfind('/');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    if (!is_tag(rest.substr(colon + 1))) return invalid();
    out.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  out.domain = "docker.io";
  if (const auto halves = split_once(rest, "/"); halves.found && is_domain(halves.before)) {
    if (!std::ranges::all_of(halves.before, is_host_character)) return invalid();
    out.domain = halves.before;
    rest = halves.after;
  }
  for (const auto& component : split(rest, '/')) {
    if (!is_component(component)) return invalid();
  }
  const bool official = out.domain == "docker.io" && rest.find('/') == std::string_view::npos;
  out.repository = (official ? "library/" : "") + std::string(rest);
  if (out.domain.size() + 1 + out.repository.size() > kMaxName) return invalid();
  return out;
}

PullPolicy pull_policy(const std::string& policy, const std::string& reference) {
  if (policy == "Always") return PullPolicy::kAlways;
  if (policy == "Never") return PullPolicy::kNever;
  if (policy == "IfNotPresent") return PullPolicy::kIfNotPresent;
  const auto parsed = parse_reference(reference);
  return parsed && parsed->digest.empty() && parsed->tag == "latest" ? PullPolicy::kAlways
                                                                     : PullPolicy::kIfNotPresent;
}

}  // namespace skiff::node
