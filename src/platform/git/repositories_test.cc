#include "platform/git/repositories.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"
#include "io/sync.h"
#include "platform/git/group_rig.h"

using namespace skiff;
using namespace skiff::platform;

namespace {

struct Rig {
  Rig() {
    char name[] = "/tmp/skiff-repositories-XXXXXX";
    data = ::mkdtemp(name);
    repositories = std::make_unique<Repositories>(*loop, data, group.name);
  }
  ~Rig() {
    repositories.reset();
    auto removed = io::remove_tree(data);
  }
  std::vector<std::string> names() { return io::list_directory(data + "/git").value(); }
  // What git itself says of the repository.
  bool works(const std::string& app) {
    auto done = io::block_on(
        *loop, io::run_command(*loop, {"git", "-c", "safe.directory=*", "-C", repositories->folder(app),
                                       "rev-parse", "--is-bare-repository"}));
    return done && done->out == "true\n";
  }

  std::string data;
  GroupRig group;
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop();
  std::unique_ptr<Repositories> repositories;
};

io::Task<int> pause(io::Loop* loop) {
  co_await io::sleep(*loop, std::chrono::milliseconds(100));
  co_return 0;
}

io::Task<void> create(Rig* rig, int* made) {
  auto created = co_await rig->repositories->store().create("shop");
  *made += created.has_value() ? 1 : 0;
}

io::Task<int> create_twice(Rig* rig) {
  int made = 0;
  io::TaskScope scope(*rig->loop);
  io::Event ended(*rig->loop);
  scope.spawn(create(rig, &made));
  scope.spawn(create(rig, &made));
  scope.when_empty([&ended] { ended.set(); });
  co_await ended.wait();
  co_return made;
}

}  // namespace

TEST_CASE("a repository is made whole, also twice at once" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  REQUIRE(rig.repositories->start());
  CHECK(io::block_on(*rig.loop, create_twice(&rig)) == 2);
  CHECK(rig.works("shop"));
  CHECK(rig.names() == std::vector<std::string>{"shop.git"});
  REQUIRE(io::write_file_atomic(rig.data + "/git/shop.git/kept", "x"));
  CHECK(io::block_on(*rig.loop, rig.repositories->store().create("shop")).has_value());
  CHECK(io::read_file(rig.data + "/git/shop.git/kept").value_or("") == "x");
}

TEST_CASE("a repository whose making was cut is made anew" * doctest::skip(::geteuid() != 0)) {
  Rig rig;
  for (const char* folder : {"/git/shop.git", "/git/.making-7"}) {
    REQUIRE(io::make_directories(rig.data + folder));
    REQUIRE(io::write_file_atomic(rig.data + folder + "/HEAD", "ref: refs/heads/main\n"));
  }
  REQUIRE(rig.repositories->start());
  CHECK(io::block_on(*rig.loop, rig.repositories->store().create("shop")).has_value());
  CHECK(rig.works("shop"));
  for (int i = 0; i < 50 && rig.names().size() > 1; ++i)
    io::block_on(*rig.loop, pause(rig.loop.get()));  // the rest is removed beside what else goes on
  CHECK(rig.names() == std::vector<std::string>{"shop.git"});
}
