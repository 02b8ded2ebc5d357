// The edge alone, with routes from a file, for black-box tests.
//
//   edge_rig CONFIG.json
//
// CONFIG: {"http": port, "https": port, "certificate": file, "key": file (of the authority), "log_port":
// port, "threads": n,
//          "limits": {name: ms or count}, "routes": ROUTES, "incomplete": bool (the first routes),
//          "trusted_proxies": "CIDR,...", "proxy_protocol": bool, "any_address": bool (listens on all)}
// ROUTES: [{"host": "", "path": "/", "name": "app", "ready": [port], "serving": [port], "starting": n,
//           "crashed": n, "maintenance": bool, "blank": bool, "platform": bool, "refused": "why"}]
// Prints "ready". Each line of standard input is new ROUTES ("routed" follows); its end stops the edge.
#include <fmt/core.h>

#include <cstdio>
#include <iostream>

#include "base/json.h"
#include "edge/edge.h"
#include "io/file.h"

using namespace skiff;

namespace {

std::vector<edge::Endpoint> endpoints(const json::Value& ports) {
  std::vector<edge::Endpoint> made;
  for (const auto& port : ports.items()) {
    made.push_back(
        {"127.0.0.1", static_cast<uint16_t>(port.as_int()), fmt::format("web.{}", made.size() + 1)});
  }
  return made;
}

edge::RouteTable routes(const json::Value& rows) {
  edge::RouteTable table;
  for (const auto& row : rows.items()) {
    edge::App app;
    app.name = app.log_namespace = row["name"].str();
    app.ready = endpoints(row["ready"]);
    app.serving = endpoints(row["serving"]);
    app.starting = static_cast<int>(row["starting"].as_int());
    app.crashed = static_cast<int>(row["crashed"].as_int());
    app.refused = row["refused"].str();
    app.maintenance = row["maintenance"].as_bool();
    app.blank = row["blank"].as_bool();
    app.platform = row["platform"].as_bool();
    table.hosts[row["host"].str()].push_back(
        {row.contains("path") ? row["path"].str() : "/", edge::PathRoute::Type::kPrefix, table.apps.size()});
    table.apps.push_back(std::move(app));
  }
  return table;
}

void set_limits(const json::Value& values, edge::Limits& limits) {
  const std::pair<const char*, edge::Millis*> times[] = {{"client_idle", &limits.client_idle},
                                                         {"head", &limits.head},
                                                         {"connect", &limits.connect},
                                                         {"first_byte", &limits.first_byte},
                                                         {"idle", &limits.idle},
                                                         {"platform", &limits.platform},
                                                         {"hold", &limits.hold},
                                                         {"boot", &limits.boot},
                                                         {"refused_hold", &limits.refused_hold},
                                                         {"upstream_idle", &limits.upstream_idle},
                                                         {"upstream_trusted", &limits.upstream_trusted},
                                                         {"quarantine", &limits.quarantine},
                                                         {"linger", &limits.linger},
                                                         {"linger_silence", &limits.linger_silence}};
  for (const auto& [name, time] : times) {
    if (values.contains(name)) *time = edge::Millis(values[name].as_int());
  }
  if (values.contains("max_connections")) {
    limits.max_connections = static_cast<size_t>(values["max_connections"].as_int());
  }
  if (values.contains("max_held")) limits.max_held = static_cast<size_t>(values["max_held"].as_int());
  if (values.contains("max_held_of_one"))
    limits.max_held_of_one = static_cast<size_t>(values["max_held_of_one"].as_int());
  if (values.contains("max_body")) limits.max_body = static_cast<uint64_t>(values["max_body"].as_int());
}

io::Address loopback(const json::Value& port) {
  return io::Address::tcp("127.0.0.1", static_cast<uint16_t>(port.as_int()));
}

Result<edge::EdgeOptions> read_options(const std::string& path) {
  auto text = io::read_file(path);
  if (!text) return std::unexpected(text.error());
  auto config = json::parse(*text);
  if (!config) return std::unexpected(config.error());
  const json::Value& c = *config;
  edge::EdgeOptions options;
  options.http = loopback(c["http"]);
  options.https = loopback(c["https"]);
  if (c["any_address"].as_bool()) options.http.host = options.https.host = "";
  options.log_target = loopback(c["log_port"]);
  options.log_token = "rig";
  options.threads = static_cast<int>(c["threads"].as_int(1));
  options.routes = routes(c["routes"]);
  options.routes.complete = !c["incomplete"].as_bool();
  set_limits(c["limits"], options.limits);
  auto proxies = parse_networks(c["trusted_proxies"].str());
  if (!proxies) return std::unexpected(proxies.error());
  options.trusted_proxies = *proxies;
  options.proxy_protocol = c["proxy_protocol"].as_bool();
  options.platform_token = "rig";
  if (options.https.port == 0) return options;
  auto certificate = io::read_file(c["certificate"].str());
  auto key = io::read_file(c["key"].str());
  if (!certificate || !key) return fail(Code::kInvalidArgument, "no certificate or key");
  options.authority = {*certificate, *key};
  return options;
}

int complain(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  return 1;
}

void say(const char* line) {
  std::puts(line);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return complain({Code::kInvalidArgument, "usage: edge_rig CONFIG.json"});
  auto options = read_options(argv[1]);
  if (!options) return complain(options.error());
  edge::Edge edge(std::move(*options));
  if (auto started = edge.start(); !started) return complain(started.error());
  say("ready");
  for (std::string line; std::getline(std::cin, line);) {
    const auto rows = json::parse(line);
    if (!rows) return complain(rows.error());
    edge.set_routes(routes(*rows));
    say("routed");
  }
  edge.stop();
}
