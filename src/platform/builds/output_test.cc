#include "platform/builds/output.h"

#include <doctest/doctest.h>

using namespace skiff::platform;

TEST_CASE("output beyond the limit is cut with one line that says so") {
  std::string seen;
  BuildOutput output([&](std::string_view text) { seen += text; }, 1);
  output.write(std::string(1000, 'a'));
  output.write(std::string(100, 'b'));
  output.write("c");
  CHECK(seen == std::string(1000, 'a') + std::string(24, 'b') +
                    "\n !     The build wrote more than 1 KB; what follows is not shown.\n");
}

TEST_CASE("a full disk is noticed, also in two pieces and beyond the limit") {
  BuildOutput output([](std::string_view) {}, 1);
  output.write(std::string(2000, 'x') + "cc1plus: No space left");
  CHECK_FALSE(output.told_of_full_disk());
  output.write(" on device\n");
  CHECK(output.told_of_full_disk());
}
