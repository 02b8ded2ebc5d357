#include "base/strings.h"

#include <doctest/doctest.h>

using namespace skiff;

TEST_CASE("pieces are split and joined") {
  CHECK(split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(join(split("a,,b", ','), ",") == "a,,b");
  CHECK(split_once("k=v=w", "=").after == "v=w");
  CHECK_FALSE(split_once("none", "=").found);
  CHECK(trim(" \t x y\r\n") == "x y");
}

TEST_CASE("a number is all digits and fits") {
  CHECK(parse_int("-12") == -12);
  CHECK(parse_uint("18446744073709551615") == UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "0x1", "1e3", "9223372036854775808"})
    CHECK(!parse_int(text));
  CHECK(!parse_uint("-1"));
  CHECK(!parse_uint("18446744073709551616"));
}

TEST_CASE("base64 reads what it wrote and nothing malformed") {
  for (const std::string bytes : {"", "f", "fo", "foo", "\xff\xfe\x00z"}) {
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
  }
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64url_encode("\xff\xfe") == "__4");
  for (const char* text : {"Zg", "Zg=", "Z===", "Zm9v!", "=Zg="}) CHECK_MESSAGE(!base64_decode(text), text);
}

TEST_CASE("URLs are encoded and decoded") {
  CHECK(url_encode("a b/ü~") == "a%20b%2F%C3%BC~");
  CHECK(url_decode("a%20b%2f+") == "a b/+");
  CHECK(url_decode("a+b", Plus::kIsSpace) == "a b");
  for (const char* text : {"%", "%2", "%zz"}) CHECK(!url_decode(text));
}

TEST_CASE("secrets compare by all of their bytes") {
  CHECK(equals_constant_time("secret", "secret"));
  CHECK_FALSE(equals_constant_time("secret", "secrex"));
  CHECK_FALSE(equals_constant_time("secret", "secre"));
  CHECK(equals_constant_time("", ""));
}
