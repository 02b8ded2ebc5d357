#include "node/images/package_changes.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("packages that are installed are known by their version, a later stanza counts") {
  PackageVersions known;
  add_packages(known,
               "Package: jq\nStatus: install ok installed\nVersion: 1.6-2.1\n\n"
               "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
               "Package: jq\nStatus: install ok installed\nDescription: a\n Version: 9\nVersion: 1.6-2.2\n");
  CHECK(known == PackageVersions{{"jq", "1.6-2.2"}});
}

TEST_CASE("what an update changes is told a package a line") {
  const PackageVersions before = {{"gone", "1"}, {"jq", "1.6"}, {"same", "1"}};
  const auto changes = compare_packages(before, {{"jq", "1.7"}, {"new", "3"}, {"same", "1"}});
  REQUIRE(changes.size() == 3);
  CHECK(describe_change(changes[0]) == "gone 1 is gone");
  CHECK(describe_change(changes[1]) == "jq 1.6 → 1.7");
  CHECK(describe_change(changes[2]) == "new 3 is new");
  CHECK(compare_packages(before, before).empty());
}

TEST_CASE("apt's simulation says whether there is something to do") {
  CHECK(has_upgrades("Reading package lists...\nInst jq [1.6] (1.7 Debian:12 [amd64])\n"));
  CHECK(has_upgrades("Remv libold [1]\n"));
  CHECK(!has_upgrades("Reading package lists...\n0 upgraded, 0 newly installed, 0 to remove\n"));
}
