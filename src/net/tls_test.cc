// Whom a TLS connection trusts.
#include "net/tls.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "io/file.h"
#include "io/sim_loop.h"
#include "io/sim_stream.h"
#include "io/sync.h"
#include "net/certificates.h"

namespace skiff::net {

namespace {

using std::chrono::hours;

WallTime real_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string test_file(const std::string& name) {
  return io::read_file(std::string(SKIFF_SOURCE_DIR) + "/src/net/testdata/" + name).value();
}

struct Outcome {
  bool client = false;
  bool server = false;
  std::string name;  // of the client, as the server knows it
};

io::Task<void> accept(std::shared_ptr<TlsServerContext> context, std::unique_ptr<io::Stream> stream,
                      Outcome* out) {
  auto secured = co_await accept_tls(context, std::move(stream));
  out->server = secured.has_value();
  if (!secured) co_return;
  out->name = (*secured)->peer_certificate().common_name;
  // TLS 1.3 clients learn from their first read that they were refused.
  co_await (*secured)->write("x");
}

io::Task<void> connect(std::shared_ptr<TlsClientContext> context, std::unique_ptr<io::Stream> stream,
                       Outcome* out) {
  auto secured = co_await connect_tls(context, std::move(stream));
  if (!secured) co_return;
  char byte = 0;
  auto got = co_await (*secured)->read({&byte, 1});
  out->client = got && *got == 1;
}

Outcome handshake(const TlsServerOptions& server, const TlsClientOptions& client) {
  io::SimLoop loop;
  Outcome out;
  auto [near, far] = io::make_sim_pair(loop);
  {
    io::TaskScope scope(loop);
    scope.spawn(accept(TlsServerContext::create(server).value(), std::move(far), &out));
    scope.spawn(connect(TlsClientContext::create(client).value(), std::move(near), &out));
    loop.run_until_idle();
  }
  return out;
}

KeyPair server_pair(const KeyPair& authority, WallTime now) {
  return sign_certificate(authority, {.common_name = "s", .ip_addresses = {"127.0.0.1"}, .for_server = true},
                          now)
      .value();
}

// What a client of TLS 1.2 that offers these ciphers alone says first.
std::string hello(const char* ciphers) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  REQUIRE(SSL_CTX_set_cipher_list(context.get(), ciphers) == 1);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &bytes);
  REQUIRE(size > 0);
  return {bytes, static_cast<size_t>(size)};
}

io::Task<void> say(io::Stream* stream, std::string text, std::string* answer) {
  co_await stream->write(text);
  char buffer[4096];
  auto got = co_await stream->read(buffer);
  if (got) answer->assign(buffer, *got);
}

// How the server answers the hello.
std::string answer_to(const std::string& text, const TlsServerOptions& server) {
  io::SimLoop loop;
  Outcome out;
  std::string answer;
  auto [near, far] = io::make_sim_pair(loop);
  {
    io::TaskScope scope(loop);
    scope.spawn(accept(TlsServerContext::create(server).value(), std::move(far), &out));
    scope.spawn(say(near.get(), text, &answer));
    loop.run_until_idle();
  }
  return answer;
}

}  // namespace

TEST_CASE("TLS 1.2 is spoken with forward secrecy and without CBC, or not at all") {
  const auto ours = make_authority("ours", real_now()).value();
  const auto pair = server_pair(ours, real_now());
  const TlsServerOptions server{pair.certificate_pem, pair.key_pem, ours.certificate_pem};
  constexpr char kHandshake = 22, kAlert = 21, kHandshakeFailure = 40;
  for (const char* cipher :
       {"ECDHE+AES+SHA1", "ECDHE+AES+SHA256", "ECDHE+AES+SHA384", "kRSA+AESGCM", "kRSA+AES"}) {
    CAPTURE(cipher);
    const std::string refusal = answer_to(hello((std::string(cipher) + ":@SECLEVEL=0").c_str()), server);
    REQUIRE(refusal.size() >= 7);
    CHECK(refusal.front() == kAlert);
    CHECK(refusal[6] == kHandshakeFailure);
  }
  for (const char* cipher : {"ECDHE+AESGCM", "ECDHE+CHACHA20"}) {
    CAPTURE(cipher);
    const std::string greeting = answer_to(hello(cipher), server);
    REQUIRE_FALSE(greeting.empty());
    CHECK(greeting.front() == kHandshake);
  }
}

TEST_CASE("a key in its older form is the same key") {
  const auto authority = make_authority("a", real_now());
  REQUIRE(authority.has_value());
  const auto older = sec1_key_pem(authority->key_pem);
  REQUIRE(older.has_value());
  CHECK(older->starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
  const auto signature = sign_es256(*older, "text");
  REQUIRE(signature.has_value());
  CHECK(verify_es256(authority->certificate_pem, "text", *signature));
  CHECK(sec1_key_pem(*older) == *older);
  CHECK_FALSE(sec1_key_pem("nothing").has_value());
}

TEST_CASE("a chain is followed through its intermediate authority") {
  const std::string chain = test_file("chain.pem"), key = test_file("chain.key"),
                    root = test_file("root.pem");
  CHECK(handshake({chain, key, ""}, {root, "", "", "127.0.0.1"}).client);
  const std::string leaf = chain.substr(0, chain.find("-----BEGIN", 1));
  CHECK_FALSE(handshake({leaf, key, ""}, {root, "", "", "127.0.0.1"}).client);
}

TEST_CASE("a server of another authority, or whose time is over, is refused") {
  const auto ours = make_authority("ours", real_now()).value();
  const auto theirs = make_authority("theirs", real_now()).value();
  const auto other = server_pair(theirs, real_now());
  CHECK_FALSE(
      handshake({other.certificate_pem, other.key_pem, ""}, {ours.certificate_pem, "", "", "127.0.0.1"})
          .client);
  const auto old = server_pair(ours, real_now() - hours(24 * 800));
  CHECK_FALSE(
      handshake({old.certificate_pem, old.key_pem, ""}, {ours.certificate_pem, "", "", "127.0.0.1"}).client);
}

TEST_CASE("a server of another authority and name is taken by a client that asks for nothing") {
  const auto theirs = make_authority("theirs", real_now()).value();
  const auto other = server_pair(theirs, real_now());
  for (const std::string name : {"127.0.0.2", "elsewhere"}) {
    const TlsClientOptions client{"", "", "", name, Trust::kAnyServer};
    CHECK(handshake({other.certificate_pem, other.key_pem, ""}, client).client);
  }
}

TEST_CASE("a client may come without a certificate, but not with a foreign one") {
  const auto ours = make_authority("ours", real_now()).value();
  const auto theirs = make_authority("theirs", real_now()).value();
  const auto server = server_pair(ours, real_now());
  const TlsServerOptions asks{server.certificate_pem, server.key_pem, ours.certificate_pem};
  const auto nobody = handshake(asks, {ours.certificate_pem, "", "", "127.0.0.1"});
  CHECK(nobody.client);
  CHECK(nobody.name.empty());
  const auto known = sign_certificate(ours, {.common_name = "alice"}, real_now()).value();
  CHECK(handshake(asks, {ours.certificate_pem, known.certificate_pem, known.key_pem, "127.0.0.1"}).name ==
        "alice");
  const auto foreign = sign_certificate(theirs, {.common_name = "alice"}, real_now()).value();
  const auto outcome =
      handshake(asks, {ours.certificate_pem, foreign.certificate_pem, foreign.key_pem, "127.0.0.1"});
  CHECK_FALSE(outcome.server);
  CHECK_FALSE(outcome.client);
}

TEST_CASE("a server's certificate does not make a client") {
  const auto ours = make_authority("ours", real_now()).value();
  const auto server = server_pair(ours, real_now());
  const TlsServerOptions asks{server.certificate_pem, server.key_pem, ours.certificate_pem};
  CHECK_FALSE(
      handshake(asks, {ours.certificate_pem, server.certificate_pem, server.key_pem, "127.0.0.1"}).server);
}

TEST_CASE("an authority for servers makes servers, and no clients") {
  const auto serving = make_authority("serving", real_now(), Signs::kServers).value();
  const auto server = server_pair(serving, real_now());
  const auto client = sign_certificate(serving, {.common_name = "alice"}, real_now()).value();
  const TlsClientOptions stranger{serving.certificate_pem, "", "", "127.0.0.1"};
  CHECK(handshake({server.certificate_pem, server.key_pem, ""}, stranger).client);
  const TlsServerOptions asks{server.certificate_pem, server.key_pem, serving.certificate_pem};
  const TlsClientOptions known{serving.certificate_pem, client.certificate_pem, client.key_pem, "127.0.0.1"};
  CHECK_FALSE(handshake(asks, known).server);
}

}  // namespace skiff::net
