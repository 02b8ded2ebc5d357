// What the server promises about limits, streams, slow clients and its own end.
#include "net/http_server.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "io/sync.h"
#include "net/http_client.h"

namespace skiff::net {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// A client that sends raw bytes and keeps what comes back; it reads only when told to.
class RawClient {
 public:
  RawClient(io::SimLoop& loop, io::SimNetwork& network, const io::Address& address) : scope_(loop) {
    stream_ = io::block_on(loop, network.connect(address)).value();
  }
  void send(std::string text) { scope_.spawn(write(this, std::move(text))); }
  void read_all() { scope_.spawn(read(this)); }
  const std::string& answer() const { return answer_; }
  bool ended() const { return ended_; }
  io::Stream& stream() { return *stream_; }

 private:
  static io::Task<void> write(RawClient* self, std::string text) { co_await self->stream_->write(text); }
  static io::Task<void> read(RawClient* self) {
    for (;;) {
      char buffer[4096];
      auto got = co_await self->stream_->read(buffer);
      if (!got || *got == 0) break;
      self->answer_.append(buffer, *got);
    }
    self->ended_ = true;
  }

  std::unique_ptr<io::Stream> stream_;
  std::string answer_;
  bool ended_ = false;
  io::TaskScope scope_;
};

enum class Drained { kNo, kAnswered, kCut };

struct Rig {
  explicit Rig(Handler handler, ServerLimits limits = {}) : network(loop), scope(loop) {
    server = std::make_unique<HttpServer>(loop, network.listen(io::Address::tcp("127.0.0.1", 80)).value(),
                                          std::move(handler), nullptr, limits);
  }
  std::unique_ptr<RawClient> connect() {
    return std::make_unique<RawClient>(loop, network, server->address());
  }
  std::unique_ptr<RawClient> ask(std::string text) {
    auto client = connect();
    client->send(std::move(text));
    client->read_all();
    loop.run_until_idle();
    return client;
  }
  static io::Task<void> run_drain(Rig* rig, Duration grace) {
    auto drained = co_await rig->server->drain(grace);
    rig->drained = drained ? Drained::kAnswered : Drained::kCut;
  }
  void drain(Duration grace) {
    scope.spawn(run_drain(this, grace));
    loop.run_until_idle();
  }

  io::SimLoop loop;
  io::SimNetwork network;
  std::unique_ptr<HttpServer> server;
  Drained drained = Drained::kNo;
  io::TaskScope scope;
};

io::Task<void> say_hello(const Request&, BodyReader&, ResponseWriter& writer) {
  co_await writer.send(Response::text(200, "hello"));
}

struct Slow {
  io::Loop* loop = nullptr;
  Duration pause = seconds(5);
};
io::Task<void> answer_late(Slow* slow, const Request&, BodyReader&, ResponseWriter& writer) {
  co_await io::sleep(*slow->loop, slow->pause);
  co_await writer.send(Response::text(200, "late"));
}

io::Task<void> stream_on(Slow* slow, const Request&, BodyReader&, ResponseWriter& writer) {
  co_await writer.start(Response::text(200, ""));
  for (;;) {
    auto written = co_await writer.write("tick\n");
    if (!written) co_return;
    co_await io::sleep(*slow->loop, slow->pause);
  }
}

Handler with(Slow* slow, io::Task<void> (*handler)(Slow*, const Request&, BodyReader&, ResponseWriter&)) {
  return [slow, handler](const Request& request, BodyReader& body, ResponseWriter& writer) {
    return handler(slow, request, body, writer);
  };
}

}  // namespace

TEST_CASE("a connection beyond the limit waits until another ends") {
  Rig rig(say_hello, {.max_connections = 2});
  const auto first = rig.ask(kGet);
  const auto second = rig.ask(kGet);
  const auto third = rig.ask(kGet);
  CHECK(first->answer().ends_with("hello"));
  CHECK(second->answer().ends_with("hello"));
  CHECK(third->answer().empty());
  first->stream().close();
  rig.loop.run_until_idle();
  CHECK(third->answer().ends_with("hello"));
}

TEST_CASE("a connection that never asks ends soon, one that has asked is kept") {
  Rig rig(say_hello, {.header_timeout = seconds(10), .idle_timeout = seconds(120)});
  const auto silent = rig.ask("");
  const auto empty_lines = rig.ask("\r\n\r\n");
  const auto known = rig.ask(kGet);
  rig.loop.advance(seconds(9));
  CHECK_FALSE(silent->ended());
  rig.loop.advance(seconds(2));
  CHECK(silent->ended());
  CHECK(empty_lines->ended());
  CHECK_FALSE(known->ended());
  rig.loop.advance(seconds(120));
  CHECK(known->ended());
}

TEST_CASE("empty lines for ever hold no connection") {
  Rig rig(say_hello);
  for (const char* request : {"", kGet}) {
    auto client = rig.ask(request);
    const auto begun = rig.loop.now();
    while (!client->ended() && rig.loop.now() - begun < seconds(600)) {
      client->send("\r\n");
      rig.loop.advance(seconds(1));
    }
    CHECK(client->ended());
    CHECK(rig.loop.now() - begun <= seconds(*request == '\0' ? 12 : 122));
  }
}

TEST_CASE("empty lines in packets of their own are passed over") {
  Rig rig(say_hello);
  auto client = rig.ask("\r");
  for (const char* piece : {"\n", "\r\n\r", "\n", kGet}) {
    client->send(piece);
    rig.loop.run_until_idle();
  }
  CHECK(client->answer().starts_with("HTTP/1.1 200"));
}

TEST_CASE("a request for no host is refused before its handler") {
  bool handled = false;
  Rig rig([&](const Request& request, BodyReader& body, ResponseWriter& writer) {
    handled = true;
    return say_hello(request, body, writer);
  });
  for (const char* head :
       {"GET / HTTP/1.1\r\nHost: h:bad\r\n\r\n", "GET http://h:bad/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    CAPTURE(head);
    CHECK(rig.ask(head)->answer().starts_with("HTTP/1.1 400 "));
  }
  CHECK_FALSE(handled);
}

TEST_CASE("a streamed answer arrives piece by piece, in chunks or counted") {
  Slow slow;
  Rig rig(with(&slow, stream_on));
  slow.loop = &rig.loop;
  const auto client = rig.ask(kGet);
  CHECK(client->answer().find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(client->answer().ends_with("\r\n\r\n5\r\ntick\n\r\n"));
  rig.loop.advance(slow.pause);
  CHECK(client->answer().ends_with("\r\n\r\n5\r\ntick\n\r\n5\r\ntick\n\r\n"));
  // HTTP/1.0 knows no chunks: its answer ends with the connection.
  const auto old = rig.ask("GET / HTTP/1.0\r\n\r\n");
  CHECK(old->answer().ends_with("Connection: close\r\n\r\ntick\n"));
}

TEST_CASE("an answer longer or shorter than it announced ends the connection") {
  const auto answer = [](const char* length) {
    Rig rig([length](const Request&, BodyReader&, ResponseWriter& writer) {
      return [](ResponseWriter& out, const char* announced) -> io::Task<void> {
        Response head;
        head.headers.set("Content-Length", announced);
        co_await out.start(std::move(head));
        co_await out.write("four");
        co_await out.finish();
      }(writer, length);
    });
    const auto client = rig.ask(kGet);
    return std::pair(client->ended(), client->answer().ends_with("\r\n\r\nfour"));
  };
  CHECK(answer("4") == std::pair(false, true));
  CHECK(answer("3") == std::pair(true, false));
  CHECK(answer("5") == std::pair(true, true));
}

TEST_CASE("a body is asked for when the handler reads it, and not before") {
  Rig rig([](const Request& request, BodyReader& body, ResponseWriter& writer) {
    return [](const Request& asked, BodyReader& in, ResponseWriter& out) -> io::Task<void> {
      if (asked.path() == "/no") {
        co_await out.send(Response::text(403, "no"));
        co_return;
      }
      auto all = co_await read_all(in, 100);
      if (all) co_await out.send(Response::text(200, *all));
    }(request, body, writer);
  });
  const std::string rest = " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  const auto wanted = rig.ask("PUT /" + rest);
  CHECK(wanted->answer() == "HTTP/1.1 100 Continue\r\n\r\n");
  wanted->send("body");
  rig.loop.run_until_idle();
  CHECK(wanted->answer().ends_with("\r\n\r\nbody"));
  const auto refused = rig.ask("PUT /no" + rest);
  CHECK(refused->answer().starts_with("HTTP/1.1 403 "));
  CHECK(refused->ended());
}

TEST_CASE("a client that reads nothing holds its handler back, then loses it") {
  struct Flood {
    size_t written = 0;
    bool gone = false;
  } flood;
  Rig rig(
      [&flood](const Request&, BodyReader&, ResponseWriter& writer) {
        return [](Flood* state, ResponseWriter& out) -> io::Task<void> {
          const std::string piece(64 << 10, 'x');
          co_await out.start(Response{});
          for (;;) {
            auto written = co_await out.write(piece);
            if (!written) break;
            state->written += piece.size();
          }
          state->gone = true;
        }(&flood, writer);
      },
      {.stall_timeout = seconds(10)});
  const auto client = rig.connect();
  client->send(kGet);
  rig.loop.advance(seconds(9));
  // What the streams between them hold, not what the handler would like to send.
  CHECK(flood.written <= 256 << 10);
  CHECK_FALSE(flood.gone);
  rig.loop.advance(seconds(2));
  CHECK(flood.gone);
}

TEST_CASE("the head may have just the bytes of its limit") {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(60, 'b') + "\r\n\r\n";
  Rig fits(say_hello, {.max_header_bytes = head.size()});
  CHECK(fits.ask(head)->answer().starts_with("HTTP/1.1 200 "));
  Rig tight(say_hello, {.max_header_bytes = head.size() - 1});
  CHECK(tight.ask(head)->answer().starts_with("HTTP/1.1 431 "));
}

TEST_CASE("the client refuses an answer that is larger than its bound") {
  Rig rig(say_hello);
  HttpClient client(rig.loop, rig.network, {.address = rig.server->address(), .host = "x", .max_body = 4});
  const auto answer = io::block_on(rig.loop, client.send({}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kResourceExhausted);
}

TEST_CASE("a drain closes idle connections at once and takes no more") {
  Rig rig(say_hello);
  const auto idle = rig.ask(kGet);
  CHECK_FALSE(idle->ended());
  rig.drain(seconds(5));
  CHECK(rig.drained == Drained::kAnswered);
  CHECK(idle->ended());
  CHECK_FALSE(io::block_on(rig.loop, rig.network.connect(rig.server->address())));
}

TEST_CASE("a drain lets a request that has begun be answered") {
  Slow slow;
  Rig rig(with(&slow, answer_late));
  slow.loop = &rig.loop;
  const auto client = rig.ask(kGet);
  rig.drain(seconds(10));
  CHECK(rig.drained == Drained::kNo);
  rig.loop.advance(slow.pause);
  CHECK(client->answer().find("Connection: close\r\n") != std::string::npos);
  CHECK(client->answer().ends_with("late"));
  rig.loop.advance(seconds(1));
  CHECK(rig.drained == Drained::kAnswered);
}

TEST_CASE("a drain cuts what is not answered within its grace") {
  Slow slow;
  Rig rig(with(&slow, answer_late));
  slow.loop = &rig.loop;
  const auto client = rig.ask(kGet);
  rig.drain(seconds(1));
  rig.loop.advance(seconds(2));
  CHECK(rig.drained == Drained::kCut);
  CHECK(client->answer().empty());
  CHECK(client->ended());
}

TEST_CASE("a drain does not wait for an answer that has no end") {
  Slow slow;
  Rig rig(with(&slow, stream_on));
  slow.loop = &rig.loop;
  const auto watcher = rig.ask(kGet);
  rig.drain(seconds(60));
  CHECK(rig.drained == Drained::kAnswered);
  CHECK(watcher->ended());
}

}  // namespace skiff::net
