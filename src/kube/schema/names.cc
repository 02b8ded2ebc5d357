#include "kube/schema/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace skiff::kube {
namespace {

constexpr size_t kMaxSubdomain = 253;
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxPortName = 15;
constexpr int64_t kShortestToken = 600, kLongestToken = int64_t{1} << 32;  // seconds

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}
bool is_lower_alnum(char c) {
  return is_lower(c) || is_digit(c);
}

bool is_label(std::string_view text) {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; });
}

// "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
bool is_name_part(std::string_view text) {
  if (text.empty() || !is_alnum(text.front()) || !is_alnum(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

void check_length(std::string_view text, size_t limit, Details& out) {
  if (text.size() > limit) out.push_back(fmt::format("must be no more than {} characters", limit));
}

constexpr std::string_view kSubdomainWords =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view kLabelWords =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view k1035Words =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kNameWords =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kLabelValueWords =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view kConfigKeyWords =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

}  // namespace

bool is_dns_subdomain(std::string_view text) {
  while (true) {
    auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Details check_dns_subdomain(std::string_view text) {
  Details out;
  check_length(text, kMaxSubdomain, out);
  if (!is_dns_subdomain(text)) out.emplace_back(kSubdomainWords);
  return out;
}

Details check_dns_label(std::string_view text) {
  Details out;
  check_length(text, kMaxLabel, out);
  if (!is_label(text)) out.emplace_back(is_dns_subdomain(text) ? "must not contain dots" : kLabelWords);
  return out;
}

Details check_dns_1035_label(std::string_view text) {
  Details out;
  check_length(text, kMaxLabel, out);
  if (!is_label(text) || !is_lower(text.front())) out.emplace_back(k1035Words);
  return out;
}

Details check_path_segment(std::string_view text) {
  if (text == "." || text == "..") return {fmt::format("may not be '{}'", text)};
  Details out;
  for (char c : {'/', '%'}) {
    if (text.contains(c)) out.push_back(fmt::format("may not contain '{}'", c));
  }
  return out;
}

Details check_qualified_name(std::string_view text) {
  Details out;
  auto slashes = std::ranges::count(text, '/');
  if (slashes > 1) {
    out.push_back(
        fmt::format("a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. "
                    "'example.com/MyName')",
                    kNameWords));
    return out;
  }
  auto name = text;
  if (slashes == 1) {
    auto prefix = text.substr(0, text.find('/'));
    name = text.substr(text.find('/') + 1);
    if (prefix.empty()) {
      out.emplace_back("prefix part must be non-empty");
    } else {
      for (const auto& detail : check_dns_subdomain(prefix)) out.push_back("prefix part " + detail);
    }
  }
  if (name.empty()) out.emplace_back("name part must be non-empty");
  if (name.size() > kMaxLabel)
    out.push_back(fmt::format("name part must be no more than {} characters", kMaxLabel));
  if (!is_name_part(name)) out.push_back(fmt::format("name part {}", kNameWords));
  return out;
}

Details check_label_value(std::string_view text) {
  Details out;
  check_length(text, kMaxLabel, out);
  if (!text.empty() && !is_name_part(text)) out.emplace_back(kLabelValueWords);
  return out;
}

Details check_port_name(std::string_view text) {
  Details out;
  check_length(text, kMaxPortName, out);
  if (!std::ranges::all_of(text, [](char c) { return is_lower_alnum(c) || c == '-'; })) {
    out.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(text, is_lower)) out.emplace_back("must contain at least one letter (a-z)");
  if (text.contains("--")) out.emplace_back("must not contain consecutive hyphens");
  if (text.starts_with('-') || text.ends_with('-')) out.emplace_back("must not begin or end with a hyphen");
  return out;
}

Details check_config_key(std::string_view text) {
  Details out;
  check_length(text, kMaxSubdomain, out);
  bool fits = !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '-' || c == '.' || c == '_';
  });
  if (!fits) out.emplace_back(kConfigKeyWords);
  if (text == ".") out.emplace_back("must not be '.'");
  if (text == "..") {
    out.emplace_back("must not be '..'");
  } else if (text.starts_with("..")) {
    out.emplace_back("must not start with '..'");
  }
  return out;
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ip(std::string_view text) {
  in6_addr address{};
  return is_ipv4(text) || inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

Details check_token_lifetime(int64_t seconds) {
  if (seconds < kShortestToken) return {"may not specify a duration less than 10 minutes"};
  if (seconds > kLongestToken) return {"may not specify a duration larger than 2^32 seconds"};
  return {};
}

Details check_endpoint_ip(std::string_view text) {
  if (!is_ip(text)) return {"must be a valid IP address"};
  // An IPv4 address may come in IPv6's form and is judged the same.
  const std::string mapped = is_ipv4(text) ? fmt::format("::ffff:{}", text) : std::string(text);
  in6_addr six{};
  inet_pton(AF_INET6, mapped.c_str(), &six);
  const bool is_four = IN6_IS_ADDR_V4MAPPED(&six);
  in_addr four{};
  std::memcpy(&four, six.s6_addr + 12, sizeof four);
  const uint32_t bits = ntohl(four.s_addr);
  Details out;
  if (is_four ? bits == INADDR_ANY : IN6_IS_ADDR_UNSPECIFIED(&six)) {
    out.push_back(fmt::format("may not be unspecified ({})", text));
  }
  if (is_four ? bits >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&six)) {
    out.emplace_back("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (is_four ? bits >> 16 == 0xa9fe : IN6_IS_ADDR_LINKLOCAL(&six)) {
    out.emplace_back("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (is_four ? bits >> 8 == 0xe00000 : IN6_IS_ADDR_MC_LINKLOCAL(&six)) {
    out.emplace_back("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return out;
}

}  // namespace skiff::kube
