#include <doctest/doctest.h>
#include "io/sim_loop.h"
#include "store/store.h"

using namespace skiff;

TEST_CASE("a write is seen by list and by watch") {
  io::SimLoop loop;
  auto s = store::make_memory_store(loop);
  auto w = s->watch("/a", {});
  REQUIRE(w);
  auto r = io::block_on(loop, s->write({"/a/1", false, store::Expect::absent(),
                                        [](store::Revision n) { return std::to_string(number(n)); }}));
  REQUIRE(r);
  CHECK(*r->value == "1");
  auto e = io::block_on(loop, (*w)->next());
  CHECK(e->entry.key == "/a/1");
}
