#include "node/images/tar_heads.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace skiff;
using namespace skiff::node;

namespace {

// A head with its sum, as every program writes it.
std::string head(char kind, const std::string& size) {
  std::string out(512, '\0');
  out.replace(0, 4, "name");
  out.replace(124, size.size(), size);
  out.replace(148, 8, "        ");
  out[156] = kind;
  unsigned sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  out.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return out;
}

std::string octal(int64_t size);

// With words at two places, and its sum again.
std::string with(std::string head, size_t first, const std::string& words, size_t second,
                 const std::string& others) {
  head.replace(first, words.size(), words);
  head.replace(second, others.size(), others);
  head.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  head.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return head;
}

std::string octal(int64_t size) {
  return fmt::format("{:011o}", size);
}

}  // namespace

TEST_CASE("each kind of describing head is held to its bound, in either form of numbers") {
  for (const char kind : std::string("gxXAKLV")) {
    CHECK(TarHeads().look(head(kind, octal(kMostHeadBytes))));
    CHECK_FALSE(TarHeads().look(head(kind, octal(kMostHeadBytes + 1))));
    CHECK_FALSE(TarHeads().look(head(kind, " \t77777")));
    CHECK_FALSE(TarHeads().look(head(kind, std::string("\x80\0\0\0\0\0\0\0\0\x10\0\0", 12))));
  }
}

TEST_CASE("files, and blocks without a head's sum, may have any size") {
  CHECK(TarHeads().look(head('0', octal(1 << 30))));
  std::string text = head('x', octal(1 << 30));
  text[0] = 'N';
  CHECK(TarHeads().look(text));
  // Signed bytes of the sum 0, and no number that says so.
  std::string code(512, '\0');
  code.replace(124, 11, octal(1 << 30));
  code[156] = 'x';
  int64_t sum = 8 * ' ';
  for (const char c : code) sum += static_cast<signed char>(c);
  for (size_t i = 200; sum > 0; ++i, sum -= 100) code[i] = static_cast<char>(sum < 100 ? -sum : -100);
  CHECK_FALSE(TarHeads().look(code));
  code[148] = 'c';
  CHECK(TarHeads().look(code));
}

TEST_CASE("a head is found however the bytes are cut") {
  const std::string tar = head('0', octal(600)) + std::string(1024, 'd') + head('x', octal(1 << 20));
  for (size_t size : {size_t{1}, size_t{100}, size_t{511}, size_t{513}, size_t{1000}}) {
    TarHeads heads;
    bool refused = false;
    for (size_t at = 0; at < tar.size(); at += size)
      refused = !heads.look(std::string_view(tar).substr(at, size)) || refused;
    CHECK(refused);
  }
}

TEST_CASE("the data of a file may be a tar with any heads, and what follows it may not") {
  const std::string inner = head('x', octal(1 << 20));
  const std::string outer = head('0', octal(512)) + inner;
  CHECK(TarHeads().look(outer + outer));
  CHECK_FALSE(TarHeads().look(outer + inner));
  CHECK_FALSE(TarHeads().look(outer + outer.substr(512)));
}

TEST_CASE("no data is passed over where a size is told elsewhere than in the head of a file") {
  const std::string hidden = head('0', octal(512)) + head('x', octal(1 << 20));
  const auto text = [](std::string said) {
    said.resize(512);
    return head('x', octal(512)) + said;
  };
  CHECK(TarHeads().look(text("20 mtime=1.5\n") + hidden));
  CHECK_FALSE(TarHeads().look(text("10 size=0\n") + hidden));
  CHECK_FALSE(TarHeads().look(text("22 GNU.sparse.major=1\n") + hidden));
  const std::string cut = std::string(510, 'a') + "size=0";
  CHECK_FALSE(TarHeads().look(head('x', octal(516)) + cut + std::string(1024 - cut.size(), '\0') + hidden));
  // Kinds of which programs differ in whether data follows; sparse files; numbers that are no octal ones.
  for (const char kind : std::string("123567V"))
    CHECK_FALSE(TarHeads().look(head(kind, octal(512)) + hidden));
  CHECK_FALSE(TarHeads().look(head('S', octal(0)) + hidden));
  CHECK_FALSE(TarHeads().look(head('0', std::string("\x80\0\0\0\0\0\0\0\0\0\2\0", 12)) + hidden));
  CHECK_FALSE(TarHeads().look(with(head('0', octal(512)), 257, "ustar  ", 386, "1") + hidden));
  CHECK(
      TarHeads().look(with(head('0', octal(512)), 257, "ustar", 386, "prefix") + head('x', octal(1 << 20))));
  // A file whose name ends in a slash is a folder.
  CHECK_FALSE(TarHeads().look(with(head('0', octal(512)), 0, "name/", 5, "") + hidden));
  CHECK_FALSE(TarHeads().look(text("14 path=name/\n") + hidden));
  const std::string folder = "long name/";
  CHECK_FALSE(TarHeads().look(head('L', octal(10)) + folder + std::string(502, '\0') + hidden));
  CHECK_FALSE(TarHeads().look(head('L', octal(512)) + folder + std::string(502, '\0') + hidden));
  CHECK(TarHeads().look(head('L', octal(9)) + folder + std::string(502, '\0') + hidden));
  // A head within a description is none that a parser reads.
  CHECK_FALSE(TarHeads().look(head('L', octal(512)) + head('0', octal(1 << 20)) + head('x', octal(1 << 20))));
}

TEST_CASE("large heads are bounded in number") {
  TarHeads heads;
  for (int i = 0; i < kMostLargeHeads; ++i) REQUIRE(heads.look(head('x', octal(kLargeHeadBytes + 1))));
  CHECK(heads.look(head('x', octal(kLargeHeadBytes))));
  CHECK_FALSE(heads.look(head('x', octal(kLargeHeadBytes + 1))));
}
