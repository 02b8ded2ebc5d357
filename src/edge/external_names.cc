#include "edge/external_names.h"

#include <netdb.h>

#include <algorithm>
#include <memory>

#include "base/ip.h"
#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"

namespace skiff::edge {
namespace {

constexpr const char* kHostsFile = "/etc/hosts";
constexpr size_t kMostHostsBytes = 1 << 20;          // a larger file is not read
constexpr auto kRefresh = std::chrono::seconds(30);  // as long as resolvers commonly keep an answer
constexpr auto kRetry = std::chrono::seconds(5);     // after a lookup without an answer

}  // namespace

std::vector<std::string> find_in_hosts(std::string_view hosts, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<std::string> found;
  for (const auto& line : split(hosts, '\n')) {
    std::string words(split_once(line, "#").before);
    std::ranges::replace(words, '\t', ' ');
    auto entry = split(words, ' ');
    std::erase(entry, "");
    if (entry.size() < 2) continue;
    const auto address = parse_ip(entry[0]);
    const bool named = std::ranges::any_of(entry.begin() + 1, entry.end(),
                                           [&](const auto& one) { return equals_ignore_case(one, name); });
    if (address && named) found.push_back(address->text());
  }
  return found;
}

std::vector<std::string> look_up(const std::string& name) {
  // The library finds a complete name, which ends in a dot, in no file.
  if (const auto hosts = io::read_file(kHostsFile, kMostHostsBytes)) {
    if (auto known = find_in_hosts(*hosts, name); !known.empty()) return known;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  // With its last dot the name is complete: the machine's own search domains are not tried.
  const std::string complete = name.ends_with('.') ? name : name + '.';
  if (::getaddrinfo(complete.c_str(), nullptr, &hints, &first) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(first, &::freeaddrinfo);
  std::vector<std::string> found;
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
    if (const auto address = address_of(*one->ai_addr)) found.push_back(address->text());
  }
  return found;
}

ExternalNames::ExternalNames(io::Loop& loop, Lookup lookup, std::function<void()> on_change)
    : loop_(loop), lookup_(std::move(lookup)), on_change_(std::move(on_change)), scope_(loop) {}

void ExternalNames::want(const std::set<std::string>& names) {
  wanted_ = names;
  std::erase_if(addresses_, [&](const auto& known) { return !wanted_.contains(known.first); });
  std::string beyond;
  for (const auto& name : wanted_) {
    if (followed_.contains(name)) continue;
    if (followed_.size() >= kMaxExternalNames) {
      beyond = name;
      break;
    }
    followed_.insert(name);
    scope_.spawn(follow(this, name));
  }
  if (!beyond.empty() && !told_too_many_) {
    log_warn("Ingresses lead to too many names: some have no addresses",
             {{"most", std::to_string(kMaxExternalNames)}, {"one", beyond}});
  }
  told_too_many_ = !beyond.empty();
}

io::Task<void> ExternalNames::follow(ExternalNames* self, std::string name) {
  while (self->wanted_.contains(name)) {
    auto found =
        co_await io::run_blocking(self->loop_, [lookup = self->lookup_, name] { return lookup(name); });
    if (!self->wanted_.contains(name)) break;
    std::ranges::sort(found);
    const bool none = found.empty();
    auto [known, added] = self->addresses_.try_emplace(name);
    if (none && added) log_warn("an Ingress leads to a name without addresses", {{"name", name}});
    if (added || (!none && known->second != found)) {
      if (!none) known->second = std::move(found);
      self->on_change_();
    }
    co_await io::sleep(self->loop_, none ? kRetry : kRefresh);
  }
  self->followed_.erase(name);
}

}  // namespace skiff::edge
