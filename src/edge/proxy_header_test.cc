#include "edge/proxy_header.h"

#include <doctest/doctest.h>

namespace skiff::edge {
namespace {

using Parse = ProxyHeader::Parse;
using namespace std::string_literals;

std::string second(unsigned char command, unsigned char family, const std::string& block) {
  return "\r\n\r\n\0\r\nQUIT\n"s + static_cast<char>(command) + static_cast<char>(family) +
         static_cast<char>(block.size() >> 8) + static_cast<char>(block.size() & 0xff) + block;
}
const std::string kV4 = "\xc0\x00\x02\x07\x0a\x00\x00\x01\x12\x34\x01\xbb"s;  // 192.0.2.7 to 10.0.0.1:443

}  // namespace

TEST_CASE("version 1 names the visitor and the port that was connected to") {
  const std::string line = "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n";
  const auto header = parse_proxy_header(line + "GET / HTTP/1.1\r\n");
  CHECK(header.parse == Parse::kComplete);
  CHECK(header.bytes == line.size());
  CHECK(header.source->text() == "192.0.2.7");
  CHECK(header.port == 443);
  CHECK(parse_proxy_header("PROXY TCP6 2001:db8::7 ::1 1 80\r\n").source->text() == "2001:db8::7");
  const auto unknown = parse_proxy_header("PROXY UNKNOWN anything at all\r\nGET");
  CHECK(unknown.parse == Parse::kComplete);
  CHECK_FALSE(unknown.source);
}

TEST_CASE("version 2 does so in bytes, and what stands behind the addresses is skipped") {
  const auto header = parse_proxy_header(second(0x21, 0x11, kV4 + "\x04\x00\x01x"s) + "GET");
  CHECK(header.parse == Parse::kComplete);
  CHECK(header.bytes == 16 + kV4.size() + 4);
  CHECK(header.source->text() == "192.0.2.7");
  CHECK(header.port == 443);
  const std::string v6 =
      "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(16, '\0') + "\x00\x01\x00\x50"s;
  CHECK(parse_proxy_header(second(0x21, 0x21, v6)).source->text() == "2001:db8::7");
  for (const auto& own : {second(0x20, 0x00, ""), second(0x20, 0x11, kV4), second(0x21, 0x00, "")}) {
    CHECK(parse_proxy_header(own).parse == Parse::kComplete);
    CHECK_FALSE(parse_proxy_header(own).source);
  }
}

TEST_CASE("a header that arrives byte by byte is complete with its last byte") {
  for (const auto& whole : {"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n"s, second(0x21, 0x11, kV4)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(parse_proxy_header(whole.substr(0, size)).parse == Parse::kIncomplete);
    }
    CHECK(parse_proxy_header(whole).parse == Parse::kComplete);
  }
}

TEST_CASE("malformed headers are bad, other bytes are something else") {
  for (const auto& bad :
       {"PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n"s, "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n"s,
        "PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n"s, "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n"s,
        "PROXY TCP4 ::1 ::1 1 2\r\n"s, "PROXY TCP6 192.0.2.7 ::1 1 2\r\n"s,
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n"s, "PROXY \r\n"s, "PROXY / HTTP/1.1\r\n"s,
        "PROXY TCP4 " + std::string(107, 'x'), second(0x11, 0x11, kV4), second(0x22, 0x11, kV4),
        second(0x21, 0x12, kV4), second(0x21, 0x11, kV4.substr(1)), second(0x21, 0x21, kV4),
        second(0x21, 0x11, std::string(2100, 'x'))}) {
    CAPTURE(bad);
    CHECK(parse_proxy_header(bad).parse == Parse::kBad);
  }
  for (const auto& other : {"GET / HTTP/1.1\r\n"s, "PUT / HTTP/1.1\r\n"s, "\x16\x03\x01"s, "\r\n\r\nGET"s}) {
    CAPTURE(other);
    CHECK(parse_proxy_header(other).parse == Parse::kOther);
  }
}

}  // namespace skiff::edge
