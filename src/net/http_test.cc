// Server and client over simulated streams.
#include "net/http.h"

#include <doctest/doctest.h>

#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "net/certificates.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace skiff::net {

namespace {

using std::chrono::seconds;

struct DropProbe {
  explicit DropProbe(int* count) : dropped(count) {}
  ~DropProbe() { ++*dropped; }
  int* dropped;
};

// Answers by path; the handler of a whole test.
io::Task<void> handle(io::Loop* loop, int* dropped, const Request& request, BodyReader& body,
                      ResponseWriter& writer) {
  if (request.path() == "/echo") {
    auto all = co_await read_all(body, 1 << 20);
    if (!all) co_return;
    co_await writer.send(Response::text(200, *all));
  } else if (request.path() == "/who") {
    co_await writer.send(Response::text(200, request.peer.certificate_name));
  } else if (request.path() == "/watch") {
    const DropProbe probe(dropped);
    co_await writer.start(Response::text(200, ""));
    for (;;) {
      co_await writer.write("event\n");
      co_await io::sleep(*loop, std::chrono::hours(10));
    }
  } else if (request.path() == "/upgrade") {
    auto raw = co_await writer.upgrade(Response{});
    if (!raw) co_return;
    char buffer[16];
    auto got = co_await (*raw)->read(buffer);
    if (got) co_await (*raw)->write(std::string_view(buffer, *got));
  }
}

struct Rig {
  explicit Rig(ServerLimits limits = {}, std::shared_ptr<TlsServerContext> tls = nullptr) : network(loop) {
    server = std::make_unique<HttpServer>(
        loop, std::move(*network.listen(io::Address::tcp("127.0.0.1", 80))),
        [this](const Request& request, BodyReader& body, ResponseWriter& writer) {
          return handle(&loop, &dropped, request, body, writer);
        },
        std::move(tls), limits);
  }
  HttpClient client(std::shared_ptr<TlsClientContext> tls = nullptr) {
    return HttpClient(loop, network, {.address = server->address(), .host = "x", .tls = std::move(tls)});
  }
  static io::Task<void> talk(Rig* rig, std::string text, std::string* answer) {
    auto stream = co_await rig->network.connect(rig->server->address());
    co_await (*stream)->write(text);
    for (;;) {
      char buffer[4096];
      auto got = co_await (*stream)->read(buffer);
      if (!got || *got == 0) co_return;
      answer->append(buffer, *got);
    }
  }
  // What the server sends for raw bytes within `time`.
  std::string raw(std::string text, Duration time = seconds(0)) {
    std::string answer;
    io::TaskScope scope(loop);
    scope.spawn(talk(this, std::move(text), &answer));
    loop.advance(time);
    return answer;
  }

  io::SimLoop loop;
  io::SimNetwork network;
  int dropped = 0;
  std::unique_ptr<HttpServer> server;
};

}  // namespace

TEST_CASE("requests of one client share a connection") {
  Rig rig;
  auto client = rig.client();
  for (int i = 0; i < 3; ++i) {
    const auto response =
        io::block_on(rig.loop, client.send({.method = "POST", .target = "/echo", .body = "hello"}));
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body == "hello");
  }
  CHECK(rig.network.connections() == 1);
}

TEST_CASE("a large body passes both ways") {
  Rig rig;
  auto client = rig.client();
  const std::string body(900'000, 'x');
  const auto response =
      io::block_on(rig.loop, client.send({.method = "POST", .target = "/echo", .body = body}));
  REQUIRE(response);
  CHECK(response->body == body);
}

TEST_CASE("a pooled connection that died is replaced") {
  Rig rig({.idle_timeout = seconds(10)});
  auto client = rig.client();
  CHECK(io::block_on(rig.loop, client.send({.method = "POST", .target = "/echo", .body = "a"})));
  rig.loop.advance(seconds(20));
  const auto second = io::block_on(rig.loop, client.send({.method = "POST", .target = "/echo", .body = "b"}));
  REQUIRE(second);
  CHECK(second->body == "b");
  CHECK(rig.network.connections() == 2);
}

namespace {

// A server that answers the first request of each connection, then closes it: at once, or when the next one
// has come.
struct Leaver {
  enum class When { kAtOnce, kAsked };
  explicit Leaver(When w) : network(loop), when(w), scope(loop) {
    listener = network.listen(io::Address::tcp("127.0.0.1", 80)).value();
    scope.spawn(serve(this));
  }
  static io::Task<void> serve(Leaver* self) {
    for (;;) {
      auto stream = co_await self->listener->accept();
      if (!stream) co_return;
      self->scope.spawn(talk(self, std::move(*stream)));
    }
  }
  static io::Task<void> talk(Leaver* self, std::unique_ptr<io::Stream> stream) {
    char buffer[4096];
    auto got = co_await stream->read(buffer);
    if (!got || *got == 0) co_return;
    ++self->requests;
    co_await stream->write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (self->when == When::kAtOnce) co_return;
    got = co_await stream->read(buffer);
    if (got && *got > 0) ++self->requests;
  }
  Result<Response> send(HttpClient& client, const char* method) {
    return io::block_on(loop, client.send({.method = method, .target = "/"}));
  }
  HttpClient client() { return HttpClient(loop, network, {.address = listener->address(), .host = "x"}); }

  io::SimLoop loop{1};
  io::SimNetwork network;
  When when;
  int requests = 0;
  std::unique_ptr<io::Listener> listener;
  io::TaskScope scope;
};

}  // namespace

TEST_CASE("a request that may do harm twice is sent once, though its connection dies") {
  for (const char* method : {"POST", "PATCH"}) {
    Leaver server(Leaver::When::kAsked);
    auto client = server.client();
    CHECK(server.send(client, method));
    const auto second = server.send(client, method);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == Code::kUnavailable);
    CHECK(second.error().message.find("may have carried out") != std::string::npos);
    CHECK(server.requests == 2);
    CHECK(server.network.connections() == 1);
  }
}

TEST_CASE("a request that finds nobody was not sent") {
  io::SimLoop loop(1);
  io::SimNetwork network(loop);
  HttpClient client(loop, network, {.address = io::Address::tcp("127.0.0.1", 81), .host = "x"});
  const auto answer = io::block_on(loop, client.send({.method = "POST"}));
  REQUIRE_FALSE(answer.has_value());
  CHECK(was_not_sent(answer.error()));
  CHECK_FALSE(was_not_sent({Code::kUnavailable, "lost"}));
}

TEST_CASE("an idempotent request goes on another connection when its own dies") {
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    Leaver server(Leaver::When::kAsked);
    auto client = server.client();
    CHECK(server.send(client, method));
    CHECK(server.send(client, method));
    CHECK(server.requests == 3);
    CHECK(server.network.connections() == 2);
  }
}

TEST_CASE("a connection that the server has left carries no request") {
  Leaver server(Leaver::When::kAtOnce);
  auto client = server.client();
  for (int i = 1; i <= 3; ++i) {
    CHECK(server.send(client, "POST"));
    CHECK(server.requests == i);
  }
}

TEST_CASE("a watcher's handler is dropped when the client leaves") {
  Rig rig;
  auto client = rig.client();
  {
    auto stream = io::block_on(rig.loop, client.open({.target = "/watch"}));
    REQUIRE(stream);
    CHECK(io::block_on(rig.loop, (*stream)->body().read_some()) == "event\n");
    CHECK(rig.dropped == 0);
  }
  rig.loop.advance(seconds(2));
  CHECK(rig.dropped == 1);
}

TEST_CASE("an upgraded connection gives the raw stream, early bytes first") {
  Rig rig;
  const std::string answer = rig.raw("GET /upgrade HTTP/1.1\r\nHost: x\r\n\r\nearly");
  CHECK(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(answer.ends_with("\r\n\r\nearly"));
}

TEST_CASE("bad requests get a clear answer") {
  Rig rig({.max_header_bytes = 200});
  CHECK(rig.raw("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(rig.raw("GET / HTTP/1.1\r\nA: " + std::string(300, 'b')).starts_with("HTTP/1.1 431 "));
  CHECK(rig.raw("GET / HTTP/1.1\r\nHost", seconds(40)).starts_with("HTTP/1.1 408 "));
  CHECK(rig.raw("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            .starts_with("HTTP/1.1 400 "));
  CHECK(rig.raw("GET /none HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_CASE("a body beyond the limit is refused with 413") {
  Rig rig({.max_body_bytes = 3});
  CHECK(rig.raw("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd")
            .starts_with("HTTP/1.1 413 "));
  CHECK(rig.raw("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n")
            .starts_with("HTTP/1.1 413 "));
}

TEST_CASE("pipelined requests are answered in order") {
  Rig rig;
  const std::string one = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n";
  const std::string answer = rig.raw(one + "1" + one + "2");
  CHECK(answer.find("\r\n\r\n1HTTP/1.1 200 OK") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n2"));
}

TEST_CASE("TLS verifies both ends and names the client") {
  const WallTime now = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  const auto authority = make_authority("test", now);
  REQUIRE(authority);
  const auto server = sign_certificate(
      *authority, {.common_name = "s", .ip_addresses = {"127.0.0.1"}, .for_server = true}, now);
  const auto alice = sign_certificate(*authority, {.common_name = "alice", .organizations = {"team"}}, now);
  REQUIRE(server);
  REQUIRE(alice);
  const auto& ca = authority->certificate_pem;
  auto server_tls = TlsServerContext::create({server->certificate_pem, server->key_pem, ca});
  REQUIRE(server_tls);
  Rig rig({}, *server_tls);
  auto good =
      rig.client(*TlsClientContext::create({ca, alice->certificate_pem, alice->key_pem, "127.0.0.1"}));
  const auto answer = io::block_on(rig.loop, good.send({.target = "/who"}));
  REQUIRE(answer);
  CHECK(answer->body == "alice");
  auto wrong_name = rig.client(*TlsClientContext::create({ca, "", "", "127.0.0.2"}));
  CHECK(io::block_on(rig.loop, wrong_name.send({.target = "/who"})).error().code == Code::kUnauthenticated);
}

TEST_CASE("a certificate has the names that it was asked for, whole ones only") {
  const auto authority = make_authority("test", WallTime{}).value();
  const CertificateRequest asked{.common_name = "s",
                                 .dns_names = {"localhost", "apps.example.com", "*.apps.example.com"},
                                 .ip_addresses = {"127.0.0.1", "::1"},
                                 .for_server = true};
  const auto pem = sign_certificate(authority, asked, WallTime{}).value().certificate_pem;
  CHECK(certificate_has_names(pem, asked));
  CHECK(certificate_has_names(pem, {.common_name = "s"}));
  CHECK_FALSE(certificate_has_names(pem, {.common_name = "t"}));
  CHECK_FALSE(certificate_has_names(pem, {.common_name = "s", .organizations = {"team"}}));
  for (const char* name : {"example.com", "*.example.com", "shop.apps.example.com"}) {
    CHECK_FALSE(certificate_has_names(pem, {.common_name = "s", .dns_names = {name}}));
  }
  CHECK_FALSE(certificate_has_names(pem, {.common_name = "s", .ip_addresses = {"127.0.0.2"}}));
  CHECK_FALSE(certificate_has_names("", asked));
}

TEST_CASE("ES256 signatures verify, and only for their data") {
  const auto pair = make_authority("signer", WallTime{});
  const auto signature = sign_es256(pair->key_pem, "data");
  REQUIRE(signature);
  CHECK(signature->size() == 64);
  CHECK(verify_es256(pair->certificate_pem, "data", *signature));
  CHECK_FALSE(verify_es256(pair->certificate_pem, "date", *signature));
  CHECK_FALSE(verify_es256(pair->certificate_pem, "data", ""));
  CHECK(certificate_expiry(pair->certificate_pem));
}

}  // namespace skiff::net
