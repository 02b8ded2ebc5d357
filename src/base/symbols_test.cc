#include "base/symbols.h"

#include <doctest/doctest.h>
#include <link.h>

using namespace skiff;

namespace {

// Where this program's file begins in memory.
uint64_t own_base() {
  uint64_t base = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<uint64_t*>(out) = info->dlpi_addr;
        return 1;
      },
      &base);
  return base;
}

[[gnu::noinline]] int nowhere_else(int value) {
  asm volatile("" : "+r"(value));
  return value + 1;
}

}  // namespace

TEST_CASE("a function of an unnamed namespace has a name, from its first byte on") {
  auto symbols = Symbols::read("/proc/self/exe");
  REQUIRE(symbols);
  const auto address = reinterpret_cast<uint64_t>(&nowhere_else) - own_base();
  CHECK(symbols->name_at(address).find("nowhere_else(int)") != std::string::npos);
  CHECK(symbols->name_at(address + 1) == symbols->name_at(address));
  CHECK(nowhere_else(1) == 2);
}

TEST_CASE("an address of no function and a file that is no program have no names") {
  auto symbols = Symbols::read("/proc/self/exe");
  REQUIRE(symbols);
  CHECK(symbols->name_at(0) == "");
  CHECK(symbols->name_at(~uint64_t{0}) == "");
  CHECK(!Symbols::read("/proc/self/comm"));
  CHECK(!Symbols::read("/nowhere"));
}
