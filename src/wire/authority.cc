#include "wire/authority.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/strings.h"

namespace skiff::wire {
namespace {

constexpr size_t kMaxPortDigits = 5;
constexpr uint64_t kMaxPort = 65535;

constexpr std::array<bool, 256> make_name_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = table[static_cast<size_t>(c - 32)] = true;
  for (const char c : std::string_view("-._~")) table[static_cast<size_t>(c)] = true;
  return table;
}
constexpr auto kNameTable = make_name_table();

// An empty port means the scheme's own.
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > kMaxPortDigits) return false;
  const auto port = parse_uint(text);
  return port && *port <= kMaxPort;
}

// `text` begins with a bracket.
bool is_bracketed(std::string_view text) {
  const size_t end = text.find(']');
  std::array<char, INET6_ADDRSTRLEN> address{};
  if (end == std::string_view::npos || end > address.size()) return false;
  std::ranges::copy(text.substr(1, end - 1), address.begin());
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, address.data(), &parsed) != 1) return false;
  const auto rest = text.substr(end + 1);
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

}  // namespace

bool is_authority(std::string_view text) {
  if (text.starts_with('[')) return is_bracketed(text);
  size_t at = 0;
  while (at < text.size() && kNameTable[static_cast<unsigned char>(text[at])]) ++at;
  if (at == text.size()) return at > 0;
  return at > 0 && text[at] == ':' && is_port(text.substr(at + 1));
}

}  // namespace skiff::wire
