#include <doctest/doctest.h>

#include "platform/logs/collector.h"

using namespace skiff;
using namespace skiff::platform;

namespace {

const std::string kOne = "2026-01-02T03:04:05.000000001Z";
const std::string kTwo = "2026-01-02T03:04:05.000000002Z";

std::string texts(const std::vector<OutputLine>& lines) {
  std::string out;
  for (const auto& line : lines) out += line.text + "|";
  return out;
}

}  // namespace

TEST_CASE("output comes in lines however it is cut on its way") {
  const std::string all = kOne + " a b\n" + kTwo + " \n" + kTwo + " c\r\n";
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    OutputCutter cutter({});
    std::string got = texts(cutter.add(std::string_view(all).substr(0, cut)));
    got += texts(cutter.add(std::string_view(all).substr(cut)));
    CHECK(got == "a b||c|");
  }
}

TEST_CASE("lines that share a time are all kept, and passed over one by one when they are stored") {
  const std::string all = kOne + " old\n" + kTwo + " a\n" + kTwo + " b\n" + kTwo + " c\n";
  OutputCutter fresh({});
  CHECK(texts(fresh.add(all)) == "old|a|b|c|");
  OutputCutter resumed({*parse_rfc3339(kTwo), 2});
  CHECK(texts(resumed.add(all)) == "c|");
}

TEST_CASE("the rest of an endless line is passed over") {
  OutputCutter cutter({});
  const auto lines = cutter.add(kOne + " " + std::string(2 * kMaxOutputLine, 'x'));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].text.size() < kMaxOutputLine);
  CHECK(cutter.add("yyy").empty());
  CHECK(texts(cutter.add("z\n" + kTwo + " next\n")) == "next|");
}
