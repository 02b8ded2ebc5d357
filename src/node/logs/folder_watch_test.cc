#include "node/logs/folder_watch.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

using namespace skiff;
using namespace skiff::node;

namespace {

int inotify_instances() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone && target == "anon_inode:inotify") ++count;
  }
  return count;
}

struct Rig {
  std::unique_ptr<io::Loop> loop = io::make_epoll_loop();
  std::string root = "/tmp/skiff-folder-watch-XXXXXX";
  FolderWatches watches{*loop};

  Rig() { REQUIRE(::mkdtemp(root.data()) != nullptr); }
  ~Rig() { std::filesystem::remove_all(root); }
  std::string folder(const std::string& name) {
    std::filesystem::create_directory(root + "/" + name);
    return root + "/" + name;
  }
  std::unique_ptr<FolderWatch> watch(const std::string& name) {
    auto out = watches.watch(folder(name));
    REQUIRE(out.has_value());
    return std::move(*out);
  }
  void write(const std::string& name) {
    std::ofstream(root + "/" + name + "/0.log", std::ios::app) << "line\n";
  }
  // The kernel has queued the events before the write returned.
  void turn() {
    loop->add_timer_after(std::chrono::milliseconds(1), [this] { loop->stop(); });
    loop->run();
  }
};

}  // namespace

TEST_CASE("many watches take one inotify instance, and each hears of its own folder") {
  Rig rig;
  const int before = inotify_instances();
  std::vector<std::unique_ptr<FolderWatch>> of_a;
  for (int i = 0; i < 20; ++i) of_a.push_back(rig.watch("a"));
  const auto of_b = rig.watch("b");
  CHECK(inotify_instances() == before + 1);
  rig.write("a");
  rig.turn();
  for (const auto& watch : of_a) CHECK(watch->changed().is_set());
  CHECK(!of_b->changed().is_set());
}

TEST_CASE("a watch of a folder goes on when others of it end, and when the folder is made again") {
  Rig rig;
  const auto stays = rig.watch("a");
  rig.watch("a").reset();
  rig.write("a");
  rig.turn();
  CHECK(stays->changed().is_set());
  std::filesystem::remove_all(rig.root + "/a");
  rig.turn();
  const auto again = rig.watch("a");
  rig.write("a");
  rig.turn();
  CHECK(again->changed().is_set());
}

TEST_CASE("a folder that is not there can't be watched") {
  Rig rig;
  CHECK(!rig.watches.watch(rig.root + "/none").has_value());
}
