// The edge alone in front of one backend: edge_bench_proxy <listen-port> <backend-port> [threads]
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "edge/edge.h"

int main(int argc, char** argv) {
  if (argc < 3)
    return std::fputs("usage: edge_bench_proxy <listen-port> <backend-port> [threads]\n", stderr), 2;
  skiff::edge::EdgeOptions options;
  options.http = skiff::io::Address::tcp("127.0.0.1", static_cast<uint16_t>(std::atoi(argv[1])));
  options.threads = argc > 3 ? std::atoi(argv[3]) : 0;
  skiff::edge::App app;
  app.name = "bench";
  app.ready.push_back({"127.0.0.1", static_cast<uint16_t>(std::atoi(argv[2])), "web.1"});
  options.routes.apps.push_back(app);
  options.routes.hosts[""] = {{"/", skiff::edge::PathRoute::Type::kPrefix, 0}};
  skiff::edge::Edge edge(std::move(options));
  if (auto started = edge.start(); !started) {
    return std::fprintf(stderr, "%s\n", started.error().message.c_str()), 1;
  }
  ::pause();
}
