#include "config.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace ipify {
namespace {

struct Range {
  const char* name;
  std::uint64_t least;
  std::uint64_t most;
  std::uint64_t otherwise;
};

std::expected<std::uint64_t, std::string> number(const Lookup& environment, const Range& range) {
  const auto text = environment(range.name);
  if (!text || text->empty()) return range.otherwise;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, value);
  if (parsed.ec == std::errc() && parsed.ptr == end && value >= range.least && value <= range.most)
    return value;
  return std::unexpected(std::string(range.name) + " is \"" + *text + "\" but must be a number from " +
                         std::to_string(range.least) + " to " + std::to_string(range.most));
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::expected<TrustPolicy, std::string> trust_from(const Lookup& environment) {
  const auto list = environment("TRUSTED_PROXIES");
  if (!list) return default_trust();
  return parse_trusted_proxies(*list);
}

}  // namespace

std::expected<TrustPolicy, std::string> parse_trusted_proxies(std::string_view list) {
  TrustPolicy trust;
  trust.depth = Depth::kChain;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trim(list.substr(0, comma));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    if (item.empty()) continue;
    const auto prefix = Prefix::parse(item);
    if (!prefix) {
      return std::unexpected("TRUSTED_PROXIES has \"" + std::string(item) +
                             "\", which is neither an address nor a block such as 10.0.0.0/8");
    }
    trust.proxies.push_back(*prefix);
  }
  return trust;
}

std::expected<Config, std::string> parse_config(const Lookup& environment, unsigned processors) {
  const auto port = number(environment, {"PORT", 0, 65535, 8080});
  if (!port) return std::unexpected(port.error());
  const auto threads =
      number(environment, {"WEB_CONCURRENCY", 1, kMaxThreads, std::min(processors, kMaxThreads)});
  if (!threads) return std::unexpected(threads.error());
  const auto connections = number(environment, {"MAX_CONNECTIONS", 1, 1'000'000, kMaxConnections});
  if (!connections) return std::unexpected(connections.error());
  const auto drain = number(environment, {"DRAIN_MS", 0, kMaxDrain.count(), kDefaultDrain.count()});
  if (!drain) return std::unexpected(drain.error());
  auto trust = trust_from(environment);
  if (!trust) return std::unexpected(trust.error());
  Config config;
  config.port = static_cast<std::uint16_t>(*port);
  config.threads = static_cast<unsigned>(*threads);
  config.worker.trust = std::move(*trust);
  config.worker.max_connections = static_cast<std::size_t>(*connections);
  config.worker.drain = Millis(*drain);
  return config;
}

}  // namespace ipify
