#include "forwarded.h"

#include <algorithm>
#include <optional>

namespace ipify {
namespace {

constexpr std::string_view kSpace = " \t";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// An address as proxies write it: bare, "1.2.3.4:80", "[2001:db8::1]" or "[2001:db8::1]:80".
std::optional<Address> parse_entry(std::string_view entry) {
  if (entry.starts_with('[')) {
    const std::size_t end = entry.find(']');
    if (end == entry.npos) return std::nullopt;
    if (end + 1 < entry.size() && entry[end + 1] != ':') return std::nullopt;
    return Address::parse(entry.substr(1, end - 1));
  }
  const bool one_colon = std::ranges::count(entry, ':') == 1;
  return Address::parse(one_colon ? entry.substr(0, entry.find(':')) : entry);
}

// Hands out the entries of all lines from the right-most to the left-most, skipping empty ones.
class EntriesFromRight {
 public:
  explicit EntriesFromRight(std::span<const std::string_view> lines) : lines_(lines) {}

  std::optional<std::string_view> next() {
    while (take_line()) {
      const std::size_t comma = rest_->rfind(',');
      const bool last_of_line = comma == rest_->npos;
      const std::string_view entry = trim(last_of_line ? *rest_ : rest_->substr(comma + 1));
      if (last_of_line) {
        rest_.reset();
      } else {
        rest_ = rest_->substr(0, comma);
      }
      if (!entry.empty()) return entry;
    }
    return std::nullopt;
  }

 private:
  bool take_line() {
    if (rest_) return true;
    if (lines_.empty()) return false;
    rest_ = lines_.back();
    lines_ = lines_.first(lines_.size() - 1);
    return true;
  }

  std::span<const std::string_view> lines_;
  std::optional<std::string_view> rest_;
};

}  // namespace

bool TrustPolicy::trusts(const Address& address) const {
  return std::ranges::any_of(proxies, [&](const Prefix& prefix) { return prefix.contains(address); });
}

TrustPolicy default_trust() {
  TrustPolicy trust;
  for (const char* text :
       {"127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}) {
    trust.proxies.push_back(*Prefix::parse(text));
  }
  return trust;
}

Address client_address(const Address& peer, std::span<const std::string_view> lines,
                       const TrustPolicy& trust) {
  Address client = peer;
  EntriesFromRight entries(lines);
  while (trust.trusts(client)) {
    const auto entry = entries.next();
    if (!entry) break;
    const auto address = parse_entry(*entry);
    if (!address) break;
    client = *address;
    if (trust.depth == Depth::kOneProxy) break;
  }
  return client;
}

}  // namespace ipify
