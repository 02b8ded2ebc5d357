#include "cli/printable.h"

#include <doctest/doctest.h>

using skiff::cli::printable;

TEST_CASE("text of every language, line ends and tabs are shown as they are") {
  const char* text = "gr\xC3\xBC\xC3\x9F\x65\tdich\n\xE2\x82\xAC \xF0\x9F\x9A\xA3";
  CHECK(printable(text) == text);
}

TEST_CASE("what steers a terminal is written out") {
  CHECK(printable("\x1B[31mred\x07\r\x7F") == "\\x1b[31mred\\x07\\x0d\\x7f");
  CHECK(printable("\xC2\x9B"
                  "31m\xC2\x85") == "\\x9b31m\\x85");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("what changes the order or the lines that are read is written out") {
  CHECK(printable("a\xE2\x80\xAE"
                  "b\xE2\x80\xA8"
                  "c\xE2\x81\xA6"
                  "d") == "a\\u202eb\\u2028c\\u2066d");
}

TEST_CASE("bytes that are no UTF-8 are written out") {
  CHECK(printable("a\x9B\xFF"
                  "b\xC3") == "a\\x9b\\xffb\\xc3");
}
