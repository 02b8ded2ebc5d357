// What the environment says, checked once at the start. A wrong value ends the program with a sentence that
// names the variable: a service that runs with half of its settings would be worse than one that does not
// start.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "worker.h"

namespace ipify {

struct Config {
  std::uint16_t port = 0;  // 0: any free one
  unsigned threads = 1;
  WorkerConfig worker;
};

// The value of an environment variable, nothing if it is unset.
using Lookup = std::function<std::optional<std::string>(const char* name)>;

// PORT (default 8080), WEB_CONCURRENCY (default `processors`), TRUSTED_PROXIES, MAX_CONNECTIONS, DRAIN_MS.
std::expected<Config, std::string> parse_config(const Lookup& environment, unsigned processors);

// "10.0.0.0/8, 2001:db8::5"; empty for none.
std::expected<TrustPolicy, std::string> parse_trusted_proxies(std::string_view list);

}  // namespace ipify
