// What takes the edge's access lines in a running Skiff, without the rest of the platform: its log store
// behind an HTTP server. log_sink <port> <folder>
#include <cstdio>
#include <cstdlib>

#include "io/loop.h"
#include "io/stream.h"
#include "net/http_server.h"
#include "platform/logs/log_store.h"

namespace {

using namespace skiff;

constexpr size_t kMaxBody = 4 << 20;

io::Task<void> take_lines(platform::LogStore& logs, net::BodyReader& body, net::ResponseWriter& writer) {
  auto text = co_await net::read_all(body, kMaxBody);
  if (text) logs.append_frames("bench", "heroku", "router", platform::parse_frames(*text));
  auto sent = co_await writer.send(net::Response::text(text ? 200 : 400, ""));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: log_sink <port> <folder>\n", stderr), 2;
  const auto loop = io::make_epoll_loop();
  const auto network = io::make_socket_network(*loop);
  auto listener = network->listen(io::Address::tcp("127.0.0.1", static_cast<uint16_t>(std::atoi(argv[1]))));
  if (!listener) return std::fprintf(stderr, "%s\n", listener.error().message.c_str()), 1;
  platform::LogStore logs(*loop, argv[2]);
  logs.begin("bench");
  net::HttpServer server(*loop, std::move(*listener),
                         [&](const net::Request&, net::BodyReader& body, net::ResponseWriter& writer) {
                           return take_lines(logs, body, writer);
                         });
  loop->run();
}
