#include "node/agent/leftovers.h"

#include <doctest/doctest.h>

using namespace skiff::node;

TEST_CASE("mounts below a folder are found by their real names, the innermost first") {
  const std::string mounts =
      "proc /proc proc rw 0 0\n"
      "tmpfs /d/node/mounts tmpfs rw 0 0\n"
      "nsfs /d/node/mounts/ns/a\\040b nsfs rw 0 0\n"
      "tmpfs /data tmpfs rw 0 0\n"
      "tmpfs /d tmpfs rw 0 0\n";
  CHECK(mounts_below(mounts, "/d") == std::vector<std::string>{"/d/node/mounts/ns/a b", "/d/node/mounts"});
  CHECK(mounts_below("", "/d").empty());
}
