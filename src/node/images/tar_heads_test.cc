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

TEST_CASE("large heads are bounded in number") {
  TarHeads heads;
  for (int i = 0; i < kMostLargeHeads; ++i) REQUIRE(heads.look(head('x', octal(kLargeHeadBytes + 1))));
  CHECK(heads.look(head('x', octal(kLargeHeadBytes))));
  CHECK_FALSE(heads.look(head('x', octal(kLargeHeadBytes + 1))));
}
