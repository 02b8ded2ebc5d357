#include "platform/builds/plain_text.h"

#include <doctest/doctest.h>

#include "base/utf8.h"

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("colours and what moves a cursor go, the text stays") {
  CHECK(plain_text("\033[1;31mred\033[0m text\n") == "red text\n");
  CHECK(plain_text("\033[2J\033[Hhome\033(B\033=") == "home");
  CHECK(plain_text("\033]0;title\007a\033]8;;http://x\033\\link\033]8;;\033\\") == "alink");
  CHECK(plain_text("\033Pdata\033[31mb") == "b");
  CHECK(plain_text("bell\a back\b\b del\x7f nul") == "bell back del nul");
}

TEST_CASE("control characters of eight bits are those of seven, and broken text is told") {
  CHECK(plain_text("a\xC2\x9B"
                   "31mb") == "a31mb");
  CHECK(plain_text("gr\xC3\xBC\xC3\x9F \xE2\x9C\x93 \xF0\x9F\x98\x80") ==
        "gr\xC3\xBC\xC3\x9F \xE2\x9C\x93 \xF0\x9F\x98\x80");
  CHECK(plain_text("a\x9B"
                   "b\xC3"
                   "c\xFF.") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c\xEF\xBF\xBD.");
}

TEST_CASE("a carriage return ends a line, with a line feed behind it too") {
  CHECK(plain_text("one\r\ntwo\r10 %\r20 %\r\r\nend\n") == "one\ntwo\n10 %\n20 %\nend\n");
}

TEST_CASE("a sequence that does not end hides no more than its line") {
  CHECK(plain_text("a\033]0;never\nshown\n") == "a\nshown\n");
  CHECK(plain_text("a\033[\nshown\n") == "a\nshown\n");
}

TEST_CASE("pieces give what the whole gives, and it is UTF-8") {
  const std::string text = "x\033[31mgr\xC3\xBC\xC3\x9F\r\n\033]0;t\033\\\xF0\x9F\x98\x80\xC2\x9B\xE2\x82|";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    CAPTURE(cut);
    PlainText filter;
    const std::string out = filter.take(text.substr(0, cut)) + filter.take(text.substr(cut));
    CHECK(out == plain_text(text));
    CHECK(is_utf8(out));
  }
}
