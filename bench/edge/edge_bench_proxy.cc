// The edge alone in front of one backend:
//   edge_bench_proxy <listen-port> <backend-port> <threads> [<port that takes access lines as POST /logs>]
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "edge/edge.h"

namespace {

uint16_t port_of(const char* text) {
  return static_cast<uint16_t>(std::atoi(text));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: edge_bench_proxy <listen-port> <backend-port> <threads> [<log-port>]\n", stderr);
    return 2;
  }
  skiff::edge::EdgeOptions options;
  options.http = skiff::io::Address::tcp("127.0.0.1", port_of(argv[1]));
  options.threads = std::atoi(argv[3]);
  skiff::edge::App app;
  app.name = "bench";
  app.ready.push_back({"127.0.0.1", port_of(argv[2]), "web.1"});
  if (argc > 4) {
    app.log_namespace = "bench";
    options.log_target = skiff::io::Address::tcp("127.0.0.1", port_of(argv[4]));
  }
  options.routes.apps.push_back(app);
  options.routes.hosts[""] = {{"/", skiff::edge::PathRoute::Type::kPrefix, 0}};
  skiff::edge::Edge edge(std::move(options));
  if (auto started = edge.start(); !started) {
    return std::fprintf(stderr, "%s\n", started.error().message.c_str()), 1;
  }
  ::pause();
}
