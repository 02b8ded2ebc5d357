#include "node/logs/log_server.h"

#include "base/strings.h"
#include "node/logs/log_reader.h"

namespace skiff::node {

namespace {

constexpr Duration kCheckEnd =
    std::chrono::seconds(1);  // how soon a follower learns that its container has ended

int status_of(Code code) {
  switch (code) {
    case Code::kNotFound:
      return 404;
    case Code::kInvalidArgument:
      return 400;
    default:
      return 500;
  }
}

struct LogPath {
  std::string name_space, pod, container;
};
std::optional<LogPath> parse_path(std::string_view path) {
  const auto parts = split(path, '/');
  constexpr size_t kParts = 5;  // "", containerLogs, namespace, pod, container
  if (parts.size() != kParts || parts[1] != "containerLogs") return std::nullopt;
  const auto name_space = url_decode(parts[2]), pod = url_decode(parts[3]), container = url_decode(parts[4]);
  if (!name_space || !pod || !container) return std::nullopt;
  return LogPath{*name_space, *pod, *container};
}

io::Task<void> answer(net::ResponseWriter& writer, int status, std::string text) {
  auto sent = co_await writer.send(net::Response::text(status, std::move(text)));
  static_cast<void>(sent);
}

}  // namespace

Result<void> LogServer::listen(io::Network& network, const io::Address& address) {
  auto listener = network.listen(address);
  if (!listener) return wrap(listener.error(), "listen for log requests");
  server_ = std::make_unique<net::HttpServer>(
      loop_, std::move(*listener),
      [this](const net::Request& request, net::BodyReader&, net::ResponseWriter& writer) {
        return handle(request, writer);
      });
  return {};
}

io::Task<void> LogServer::handle(const net::Request& request, net::ResponseWriter& writer) {
  const std::string expected = "Bearer " + token_;
  if (!token_.empty() && !equals_constant_time(request.headers.get("Authorization"), expected)) {
    co_await answer(writer, 401, "Unauthorized\n");
    co_return;
  }
  const auto path = parse_path(request.path());
  if (!path) {
    co_await answer(writer, 404, "404 page not found\n");
    co_return;
  }
  auto query = parse_log_query(request.query(), loop_.wall_now());
  if (!query) {
    co_await answer(writer, 400, query.error().message);
    co_return;
  }
  auto target = lookup_(path->name_space, path->pod, path->container, query->previous);
  if (!target) {
    co_await answer(writer, status_of(target.error().code), target.error().message);
    co_return;
  }
  co_await stream(std::move(*target), *query, writer);
}

io::Task<void> LogServer::stream(LogTarget target, LogQuery query, net::ResponseWriter& writer) {
  LogReader reader(loop_, watches_, target.path, query);
  auto opened = co_await reader.open();
  if (!opened) {
    co_await answer(writer, 500, opened.error().message);
    co_return;
  }
  net::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  auto started = co_await writer.start(std::move(head));
  if (!started) co_return;
  for (;;) {
    // Asked before reading: what was written before the end is then surely read.
    const bool more_may_come = query.follow && target.running();
    auto piece = reader.read_some();
    if (!piece) break;
    if (!piece->text.empty()) {
      auto sent = co_await writer.write(piece->text);
      if (!sent) co_return;
    }
    if (piece->done) break;
    if (piece->more) co_await io::sleep(loop_, Duration::zero());
    if (piece->more) continue;
    if (!piece->text.empty()) continue;
    if (!more_may_come) break;
    co_await reader.wait(kCheckEnd);
  }
  auto finished = co_await writer.finish();
  static_cast<void>(finished);
}

}  // namespace skiff::node
