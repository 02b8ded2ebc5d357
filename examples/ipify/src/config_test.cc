#include "config.h"

#include <map>

#include "cpus.h"
#include "testing.h"

namespace ipify {
namespace {

std::expected<Config, std::string> parse(std::map<std::string, std::string> environment) {
  const auto lookup = [&](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  return parse_config(lookup, 3);
}

TEST("an empty environment gives the defaults") {
  const auto config = parse({});
  CHECK_EQ(config->port, 8080);
  CHECK_EQ(config->threads, 3u);
  CHECK_EQ(config->worker.max_connections, kMaxConnections);
  CHECK(config->worker.drain == kDefaultDrain);
  CHECK(config->worker.trust.depth == Depth::kOneProxy);
}

TEST("each variable is taken") {
  const auto config = parse({{"PORT", "5000"},
                             {"WEB_CONCURRENCY", "2"},
                             {"MAX_CONNECTIONS", "100"},
                             {"DRAIN_MS", "0"},
                             {"TRUSTED_PROXIES", "10.0.0.1"}});
  CHECK_EQ(config->port, 5000);
  CHECK_EQ(config->threads, 2u);
  CHECK_EQ(config->worker.max_connections, 100u);
  CHECK(config->worker.drain == Millis(0));
  CHECK(config->worker.trust.depth == Depth::kChain);
  CHECK_EQ(config->worker.trust.proxies.size(), 1u);
}

TEST("a wrong value is named with what would be right") {
  CHECK_EQ(parse({{"PORT", "http"}}).error(), "PORT is \"http\" but must be a number from 0 to 65535");
  CHECK_EQ(parse({{"WEB_CONCURRENCY", "0"}}).error(),
           "WEB_CONCURRENCY is \"0\" but must be a number from 1 to 256");
  CHECK(!parse({{"DRAIN_MS", "25001"}}));
  CHECK(!parse({{"MAX_CONNECTIONS", "-1"}}));
  CHECK_EQ(parse({{"TRUSTED_PROXIES", "10.0.0.0/8, edge"}}).error(),
           "TRUSTED_PROXIES has \"edge\", which is neither an address nor a block such as 10.0.0.0/8");
}

TEST("a processor quota is rounded up") {
  CHECK_EQ(parse_cpu_max("150000 100000\n").value_or(0), 2u);
  CHECK_EQ(parse_cpu_max("200000 100000").value_or(0), 2u);
  CHECK_EQ(parse_cpu_max("1000 100000").value_or(0), 1u);
  CHECK_EQ(parse_cpu_max("50000\n 100000\n").value_or(0), 1u);
}

TEST("no quota is no number") {
  for (const char* text : {"", " ", "max 100000\n", "-1\n 100000\n", "100000", "0 100000", "100000 0"}) {
    CHECK(!parse_cpu_max(text));
  }
}

}  // namespace
}  // namespace ipify
