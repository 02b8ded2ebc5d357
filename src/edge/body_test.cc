#include "edge/body.h"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

namespace skiff::edge {
namespace {

// Feeds bytes in pieces of `step`; what came of them.
struct Fed {
  enum class End : uint8_t { kDone, kMore, kBad } end;
  size_t used;
  std::string out;
  bool forgiven;
  bool operator==(const Fed&) const = default;
};
using End = Fed::End;

struct Ways {
  Framing framing = Framing::kChunked;
  uint64_t length = 0;
  Reading reading = Reading::kStrict;
  Form form = Form::kChunks;
};

Fed feed_pieces(std::string_view bytes, size_t step, const Ways& ways) {
  Body body;
  body.start(ways.framing, ways.length, ways.reading, ways.form);
  size_t used = 0;
  std::string out, buffer;
  while (used < bytes.size() && !body.done()) {
    const auto piece = body.consume(bytes.substr(used, step), buffer);
    if (!piece) return {End::kBad, 0, "", false};
    used += piece->used;
    out += piece->out;
  }
  return {body.done() ? End::kDone : End::kMore, used, out, body.forgiven()};
}

// The same wherever the bytes are cut.
Fed feed(std::string_view bytes, const Ways& ways = {}) {
  const Fed whole = feed_pieces(bytes, bytes.size(), ways);
  for (size_t step = 1; step < bytes.size(); step += 1 + step / 8) {
    CAPTURE(step);
    CHECK(feed_pieces(bytes, step, ways) == whole);
  }
  return whole;
}

constexpr Ways kLeniently{.reading = Reading::kLenient};
constexpr Ways kAsContent{.reading = Reading::kLenient, .form = Form::kContent};

}  // namespace

TEST_CASE("a body of a known length takes exactly its bytes") {
  CHECK(feed("helloGET /", {Framing::kLength, 5}).used == 5);
  CHECK(feed("helloGET /", {Framing::kLength, 5}).out == "hello");
  CHECK(feed("hell", {Framing::kLength, 5}).end == End::kMore);
  CHECK(feed("GET /", {Framing::kNone, 0}).used == 0);
}

TEST_CASE("a chunked body ends after its trailers, wherever it is cut") {
  const std::string_view bytes = "5\r\nhello\r\na\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /";
  const Fed fed = feed(bytes);
  CHECK(fed.end == End::kDone);
  CHECK(bytes.substr(fed.used) == "GET /");
  CHECK(fed.out == bytes.substr(0, fed.used));
}

TEST_CASE("regular chunks pass without a copy") {
  Body body;
  body.start(Framing::kChunked, 0);
  const std::string_view bytes = "5\r\nhello\r\n0\r\n\r\n";
  std::string buffer;
  const auto piece = body.consume(bytes, buffer);
  REQUIRE(piece.has_value());
  CHECK(piece->out.data() == bytes.data());
  CHECK(piece->out == bytes);
  CHECK(body.done());
}

TEST_CASE("extensions and leading zeros are left out on the way") {
  CHECK(feed("5;a=\"b\"\r\nhello\r\n000a\r\n0123456789\r\n00;x\r\n\r\n").out ==
        "5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n");
}

TEST_CASE("trailers that frame, route, authenticate or belong to the edge are dropped") {
  const std::string good = "1\r\nZ\r\n0\r\n";
  for (const char* name : {"Content-Length",
                           "content_length",
                           "Transfer-Encoding",
                           "Host",
                           "Connection",
                           "Upgrade",
                           "TE",
                           "Trailer",
                           "X-Forwarded-For",
                           "X_Forwarded_Proto",
                           "Forwarded",
                           "Via",
                           "X-Request-Id",
                           "X-Request-Start",
                           "Authorization",
                           "Cookie",
                           "Set-Cookie",
                           "Proxy-Authorization",
                           "Proxy",
                           "WWW-Authenticate",
                           "Content-Type",
                           "Content-Encoding",
                           "Cache-Control",
                           "If-Match",
                           "Range",
                           "Location",
                           "Expect"}) {
    CAPTURE(name);
    CHECK_FALSE(trailer_passes(name));
    const Fed fed = feed(good + name + ": evil\r\nX-Sum: 1\r\n\r\n");
    CHECK(fed.out == good + "X-Sum: 1\r\n\r\n");
  }
  for (const char* name : {"X-Sum", "grpc-status", "Server-Timing", "Digest", "ETag", "Iffy"}) {
    CAPTURE(name);
    CHECK(trailer_passes(name));
  }
}

TEST_CASE(
    "a lenient reader takes folded trailers and those with bare line feeds, and sends them on plainly") {
  const std::string good = "1\r\nZ\r\n0\r\n";
  for (const auto& [trailers, sent, forgiven] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"X: y\r\n more\r\n\r\n", "X: y more\r\n\r\n", false},
           {"X:\r\n more\r\n\r\n", "X: more\r\n\r\n", false},
           {"X: y\r\n \r\n\r\n", "X: y\r\n\r\n", false},
           {"X: y\n\r\n", "X: y\r\n\r\n", true},
           {"X: y\r\n\n", "X: y\r\n\r\n", true},
           {"Set-Cookie: a\r\n b\r\nX: y\r\n\r\n", "X: y\r\n\r\n", false},
       }) {
    CAPTURE(trailers);
    const Fed fed = feed(good + trailers, kLeniently);
    CHECK(fed.end == End::kDone);
    CHECK(fed.out == good + sent);
    CHECK(fed.forgiven == forgiven);
  }
}

TEST_CASE("malformed trailers are refused, and nothing ends the body before") {
  for (const char* trailers : {
           "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET http://x/ HTTP/1.1\r\n\r\n",
           "no colon\r\n\r\n",
           "X-Bad : v\r\n\r\n",
           ": v\r\n\r\n",
           " X: folded\r\n\r\n",
           "X: a\rb\r\n\r\n",
           "X: a\x01\r\n\r\n",
           "X\xc3\xa9: a\r\n\r\n",
           "\rx\n",
       }) {
    for (const Ways& ways : {Ways{}, kLeniently, kAsContent}) {
      CAPTURE(trailers);
      CHECK(feed(std::string("1\r\nZ\r\n0\r\n") + trailers, ways).end == End::kBad);
    }
  }
  for (const char* trailers : {"X: y\r\n folded: z\r\n\r\n", "X: y\n\r\n", "X: y\r\n\n"})
    CHECK(feed(std::string("1\r\nZ\r\n0\r\n") + trailers, Ways{}).end == End::kBad);
  // What went on before the fault was found has no last chunk.
  Body body;
  body.start(Framing::kChunked, 0);
  std::string buffer;
  const auto before = body.consume("1\r\nZ\r\n0\r\nX: y\r\n", buffer);
  REQUIRE(before.has_value());
  CHECK(before->out == "1\r\nZ\r\n");
  CHECK_FALSE(body.consume("bad\r\n", buffer).has_value());
  CHECK(body.error() == "bad trailer");
}

TEST_CASE("a reader of HTTP/1.0 gets the content alone") {
  const Fed fed = feed("5;a\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\nnext", kAsContent);
  CHECK(fed.end == End::kDone);
  CHECK(fed.out == "hello!");
}

TEST_CASE("what servers are known to send is forgiven in responses, and made regular") {
  const std::string regular = "2\r\nok\r\n0\r\n\r\n";
  for (const char* bytes : {"2   \r\nok\r\n0   \r\n\r\n", "2\t\r\nok\r\n0\r\n\r\n",
                            "2 ; a=b\r\nok\r\n0\r\n\r\n", "0000000000000002\r\nok\r\n0000\r\n\r\n",
                            "0000000000000000000000000000000000000002\r\nok\r\n0\r\n\r\n"}) {
    CAPTURE(bytes);
    const Fed fed = feed(bytes, kLeniently);
    CHECK(fed.out == regular);
    CHECK_FALSE(fed.forgiven);
  }
  CHECK(feed("2   \r\nok\r\n").end == End::kBad);
  CHECK(feed("00000000000000002\r\nok\r\n").end == End::kBad);
  CHECK(feed("0000000000000002\r\nok\r\n0\r\n\r\n").out == regular);
}

TEST_CASE("after a bare line feed in chunks the connection is not trusted") {
  for (const char* bytes :
       {"2\nok\r\n0\r\n\r\n", "2\r\nok\n0\r\n\r\n", "2\r\nok\r\n0\n\r\n", "2\nok\n0\n\n", "2 \nok\n0\n\n"}) {
    CAPTURE(bytes);
    const Fed fed = feed(bytes, kLeniently);
    CHECK(fed.out == "2\r\nok\r\n0\r\n\r\n");
    CHECK(fed.forgiven);
    CHECK(feed(bytes).end == End::kBad);
  }
  CHECK(feed("2;a\nok\r\n", kLeniently).end == End::kBad);
}

TEST_CASE("malformed chunks are refused") {
  for (const char* bytes : {
           "\r\n",
           "x\r\n",
           "-1\r\n",
           "0x5\r\nhello",
           "5 \r\nhello",
           " 5\r\nhello",
           "5\nhello\n",
           "5\r\nhelloXX",
           "5\r\nhello\n",
           "5\r\nhello\r0\r\n\r\n",
           "1234567890123456\r\n",
           "5;a\nb\r\nhello",
           "0\r\n bad: x\r\n\r\n",
           "0\r\nX: y\n\r\n",
           "0\r\n\rx\n",
           "5;\x01\r\n",
       }) {
    CAPTURE(bytes);
    CHECK(feed(bytes).end == End::kBad);
  }
}

TEST_CASE("a size line and the trailers have a limit each") {
  CHECK(feed("5;" + std::string(kMaxChunkLine + 1, 'x')).end == End::kBad);
  CHECK(feed(std::string(kMaxChunkLine + 1, '0'), kLeniently).end == End::kBad);
  CHECK(feed("1" + std::string(kMaxChunkLine + 1, ' '), kLeniently).end == End::kBad);
  CHECK(feed("fffffffffffffff\r\n").end == End::kMore);
  CHECK(feed("1000000000000000\r\n", kLeniently).end == End::kBad);
  CHECK(feed("0\r\nA: " + std::string(kMaxTrailerBytes, 'x')).end == End::kBad);
  std::string many;
  for (size_t i = 0; i <= kMaxFields; ++i) many += "A:\r\n";
  CHECK(feed("0\r\n" + many).end == End::kBad);
}

TEST_CASE("a body that ends with its connection takes everything and is never done") {
  const Fed fed = feed("anything", {Framing::kUntilClose, 0});
  CHECK(fed.end == End::kMore);
  CHECK(fed.out == "anything");
}

}  // namespace skiff::edge
