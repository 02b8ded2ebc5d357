#include "platform/git/repository_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/file.h"
#include "io/sim_loop.h"

using namespace skiff;
using namespace skiff::platform;
using namespace std::chrono_literals;

namespace {

struct Rig {
  Rig() { REQUIRE(io::make_directories(data + "/git/shop.git/objects/pack")); }
  ~Rig() { auto removed = io::remove_tree(data); }
  // A half pack that a git writes now, by the loop's clock.
  std::string write_half_pack(const std::string& name) {
    const std::string path = data + "/git/shop.git/objects/pack/tmp_pack_" + name;
    REQUIRE(io::write_file_atomic(path, "half"));
    const auto now = loop.wall_now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
    const timespec time{seconds.count(), std::chrono::nanoseconds(now - seconds).count()};
    const timespec times[] = {time, time};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    return path;
  }
  std::string data = [] {
    char name[] = "/tmp/skiff-store-XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  io::SimLoop loop;
  Confinement confinement{loop, {}};
  RepositoryStore store{loop, data, confinement};
};

}  // namespace

TEST_CASE("what a cut push left goes two seconds later") {
  Rig rig;
  const auto cut = rig.write_half_pack("cut");
  rig.store.tidy_later("shop");
  rig.loop.advance(1900ms);
  CHECK(io::path_exists(cut));
  rig.loop.advance(200ms);
  CHECK_FALSE(io::path_exists(cut));
}

TEST_CASE("while a git works on a repository nothing of it is tidied, whoever ended before") {
  Rig rig;
  auto push = std::make_unique<RepositoryStore::Use>(rig.store, "shop");
  const auto half = rig.write_half_pack("of-the-push");
  auto packing = std::make_unique<RepositoryStore::Use>(rig.store, "shop");
  rig.loop.advance(1h);
  packing.reset();
  rig.store.tidy_later("shop");
  rig.loop.advance(1h);
  CHECK(io::path_exists(half));
  // Of another app's repository that does not say anything.
  const RepositoryStore::Use other(rig.store, "other");
  push.reset();
  rig.store.tidy_later("shop");
  rig.loop.advance(3s);
  CHECK_FALSE(io::path_exists(half));
}

TEST_CASE("a git that begins between the end of another and the tidying keeps what it writes") {
  Rig rig;
  const auto cut = rig.write_half_pack("cut");
  rig.store.tidy_later("shop");
  rig.loop.advance(1s);
  auto next = std::make_unique<RepositoryStore::Use>(rig.store, "shop");
  const auto half = rig.write_half_pack("next");
  rig.loop.advance(1h);
  CHECK(io::path_exists(half));
  CHECK(io::path_exists(cut));
  next.reset();
  rig.store.tidy_later("shop");
  rig.loop.advance(3s);
  CHECK_FALSE(io::path_exists(cut));
}

TEST_CASE("a git that begins while leftovers are being looked for keeps what it writes") {
  Rig rig;
  const auto cut = rig.write_half_pack("cut");
  rig.store.tidy_later("shop");
  // Its file is there when the search comes by, and its use was not when the search began.
  rig.loop.advance(1900ms);
  const auto half = rig.write_half_pack("next");
  rig.loop.advance(1s);
  CHECK_FALSE(io::path_exists(cut));
  CHECK(io::path_exists(half));
}

TEST_CASE("at a start what a platform before this one left goes") {
  Rig rig;
  const auto cut = rig.write_half_pack("cut");
  REQUIRE(io::make_directories(rig.data + "/git/.removing-7/objects"));
  REQUIRE(rig.store.start());
  rig.loop.advance(3s);
  CHECK_FALSE(io::path_exists(cut));
  CHECK_FALSE(io::path_exists(rig.data + "/git/.removing-7"));
  CHECK(io::path_exists(rig.data + "/git/shop.git/objects/pack"));
}
