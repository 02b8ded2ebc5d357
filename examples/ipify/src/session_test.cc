#include "session.h"

#include "testing.h"

namespace ipify {
namespace {

const TrustPolicy kTrust = default_trust();
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

struct Client {
  Session session{*Address::parse("192.0.2.1"), kTrust};
  std::string out;
  Next next = Next::kRead;

  void send(std::string_view bytes, Intake intake = Intake::kOpen) {
    next = session.on_bytes(bytes, {.intake = intake}, out);
  }
  std::size_t count(std::string_view text) const {
    std::size_t found = 0;
    for (std::size_t at = out.find(text); at != out.npos; at = out.find(text, at + 1)) ++found;
    return found;
  }
};

TEST("requests sent in a row are answered in order") {
  Client client;
  client.send(std::string(kGet) + "GET /?format=json HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(kGet));
  CHECK(client.next == Next::kRead);
  CHECK_EQ(client.count("HTTP/1.1 200 OK"), 3u);
  CHECK(client.out.find("{\"ip\"") > client.out.find("\r\n\r\n192.0.2.1"));
  CHECK_EQ(client.session.answered(), 3u);
  CHECK(!client.session.mid_request());
}

TEST("a request that arrives byte by byte is answered once, at its end") {
  Client client;
  const std::string text = "\r\n" + std::string(kGet);
  for (const char c : text) {
    CHECK(client.out.empty());
    client.send({&c, 1});
  }
  CHECK_EQ(client.count("192.0.2.1"), 1u);
  CHECK(!client.session.mid_request());
}

TEST("a small body is skipped and the connection goes on") {
  Client client;
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nGET / HT");
  CHECK(client.session.mid_request());
  client.send("T" + std::string(kGet));
  CHECK_EQ(client.count("HTTP/1.1 405"), 1u);
  CHECK_EQ(client.count("HTTP/1.1 200"), 1u);
  CHECK(client.next == Next::kRead);
}

TEST("a body that is large, chunked or announced by Expect ends the connection after the answer") {
  for (const char* header : {"Content-Length: 65537", "Transfer-Encoding: chunked", "Expect: 100-continue"}) {
    Client client;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(header) + "\r\n\r\n" + std::string(kGet));
    CHECK_EQ(client.count("HTTP/1.1 200"), 1u);
    CHECK_EQ(client.count("Connection: close"), 1u);
    CHECK(client.next == Next::kLinger);
  }
}

TEST("a client that wants to close is told so and closed") {
  Client client;
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_EQ(client.count("Connection: close"), 1u);
  CHECK(client.next == Next::kClose);
}

TEST("HTTP/1.0 keeps alive only when asked, and says so") {
  Client once;
  once.send("GET / HTTP/1.0\r\n\r\n");
  CHECK(once.next == Next::kClose);
  Client kept;
  kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(kept.next == Next::kRead);
  CHECK_EQ(kept.count("Connection: keep-alive"), 1u);
}

TEST("while draining the answer is right and the connection ends") {
  Client client;
  client.send(kGet, Intake::kDraining);
  CHECK_EQ(client.count("192.0.2.1"), 1u);
  CHECK_EQ(client.count("Connection: close"), 1u);
  CHECK(client.next == Next::kClose);
}

TEST("what is not HTTP is refused at its first byte") {
  Client client;
  client.send("\x16\x03\x01");
  CHECK_EQ(client.count("HTTP/1.1 400"), 1u);
  CHECK(client.next == Next::kLinger);
}

TEST("a head of the largest size is answered and one byte more is refused") {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
  const std::string fitting = start + std::string(kMaxHeadBytes - start.size() - 4, 'a');
  Client fits;
  fits.send(fitting + "\r\n\r\n");
  CHECK_EQ(fits.count("HTTP/1.1 200"), 1u);
  Client over;
  over.send(fitting + "a\r\n\r\n");
  CHECK_EQ(over.count("HTTP/1.1 431"), 1u);
}

TEST("an endless request line is refused as such") {
  Client client;
  client.send("GET /" + std::string(kMaxHeadBytes, 'a'));
  CHECK_EQ(client.count("HTTP/1.1 414"), 1u);
}

TEST("a request that takes too long is told so, an idle client is not") {
  Client slow;
  slow.send("GET / HT");
  CHECK(slow.session.on_timeout({}, slow.out) == Next::kLinger);
  CHECK_EQ(slow.count("HTTP/1.1 408"), 1u);
  Client idle;
  CHECK(idle.session.on_timeout({}, idle.out) == Next::kClose);
  CHECK(idle.out.empty());
}

TEST("the forwarded address is used behind a trusted peer only") {
  const std::string forwarded = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n";
  Client stranger;
  stranger.send(forwarded);
  CHECK(stranger.out.ends_with("192.0.2.1"));
  Session edge(*Address::parse("10.88.0.1"), kTrust);
  std::string out;
  edge.on_bytes(forwarded, {}, out);
  CHECK(out.ends_with("198.51.100.7"));
}

}  // namespace
}  // namespace ipify
