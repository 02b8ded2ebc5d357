#include "io/tree.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>

#include "io/file.h"

using namespace skiff;

namespace {

constexpr int kDeep = 20'000;
constexpr size_t kLongest = 255;  // bytes of a name

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { CHECK(io::remove_tree(path)); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  // In memory where there is such a place: many folders on a busy disk take their time.
  std::string path =
      std::string(io::path_exists("/dev/shm") ? "/dev/shm" : "/tmp") + "/skiff-tree-test-XXXXXX";
};

// A chain of folders below `path` with a file of `bytes` at its end; the descriptor of the last folder.
io::UniqueFd make_chain(const std::string& path, int depth, const std::string& name, size_t bytes = 0) {
  REQUIRE(io::make_directories(path));
  io::UniqueFd at(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < depth; ++i) {
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0700) == 0);
    at = io::UniqueFd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(at);
  }
  const io::UniqueFd file(::openat(at.get(), "last", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string data(bytes, 'x');
  REQUIRE(::write(file.get(), data.data(), data.size()) == static_cast<ssize_t>(data.size()));
  return at;
}

// The process may open hardly more than it has open.
class FewDescriptors {
 public:
  FewDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const io::UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next.get()) + 24;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A random tree; how many entries it has below its root.
int64_t grow(std::mt19937& random, const std::string& folder, int levels) {
  int64_t made = 0;
  const auto entries = std::uniform_int_distribution<int>(0, 6)(random);
  for (int i = 0; i < entries; ++i) {
    const std::string path = folder + "/" +
                             std::string(std::uniform_int_distribution<size_t>(1, 9)(random), 'n') +
                             std::to_string(i);
    ++made;
    switch (std::uniform_int_distribution<int>(0, levels > 0 ? 6 : 2)(random)) {
      case 0:
        REQUIRE(::symlink(i % 2 == 0 ? "/" : "..", path.c_str()) == 0);
        break;
      case 1:
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        break;
      case 2:
        REQUIRE(io::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
        break;
      default:
        REQUIRE(::mkdir(path.c_str(), 0700) == 0);
        made += grow(random, path, levels - 1);
    }
  }
  return made;
}

int64_t blocks_of(const std::string& path) {
  struct stat info{};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_blocks * 512;
}

}  // namespace

TEST_CASE("counting ends at the number of names that is asked for") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "tree/below"));
  for (int i = 0; i < 10; ++i)
    REQUIRE(io::write_file_atomic(folder / ("tree/below/" + std::to_string(i)), ""));
  CHECK(!io::measure_tree(folder / "tree", 12).too_many);
  const auto part = io::measure_tree(folder / "tree", 5);
  CHECK(part.too_many);
  CHECK(part.entries == 5);
  CHECK(io::measure_tree(folder / "tree", 0).too_many);
}

TEST_CASE("a tree of any depth is counted and removed with few descriptors") {
  const Folder folder;
  for (const size_t length : {size_t{1}, kLongest}) {
    make_chain(folder / "tree", kDeep, std::string(length, 'a'), 1 << 20);
    const FewDescriptors few;
    const auto use = io::measure_tree(folder / "tree");
    CHECK(use.entries == kDeep + 2);
    CHECK(use.bytes >= 1 << 20);
    CHECK(!use.too_deep);
    CHECK(io::remove_tree(folder / "tree"));
    CHECK(!io::path_exists(folder / "tree"));
  }
}

TEST_CASE("deep folders side by side are counted to the last") {
  const Folder folder;
  constexpr int kChains = 5, kLevels = 300;
  auto fork = make_chain(folder / "tree", kLevels, "down");
  for (int i = 0; i < kChains; ++i) {
    io::UniqueFd at(::dup(fork.get()));
    for (int level = 0; level < kLevels; ++level) {
      const std::string name = "branch" + std::to_string(i);
      REQUIRE(::mkdirat(at.get(), name.c_str(), 0700) == 0);
      at = io::UniqueFd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
  }
  const FewDescriptors few;
  CHECK(io::measure_tree(folder / "tree").entries == 1 + kLevels + 1 + kChains * kLevels);
  CHECK(io::remove_tree(folder / "tree"));
}

TEST_CASE("random trees are counted whole and removed whole, and what their links name stays") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "keep/inner"));
  for (uint32_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string tree = folder / "tree";
    REQUIRE(io::make_directories(tree));
    const int64_t made = grow(random, tree, 7);
    REQUIRE(::symlink((folder / "keep").c_str(), (tree + "/link").c_str()) == 0);
    CHECK(io::measure_tree(tree).entries == made + 2);
    CHECK(io::remove_tree(tree));
    CHECK(!io::path_exists(tree));
    CHECK(io::path_exists(folder / "keep/inner"));
  }
}

TEST_CASE("bytes are counted as the disk has them: folders too, holes not, a file once") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "tree/inner"));
  REQUIRE(io::write_file_atomic(folder / "tree/file", std::string(100'000, 'x')));
  REQUIRE(::link((folder / "tree/file").c_str(), (folder / "tree/inner/again").c_str()) == 0);
  const io::UniqueFd hole(::open((folder / "tree/hole").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::ftruncate(hole.get(), off_t{1} << 30) == 0);
  const auto use = io::measure_tree(folder / "tree");
  CHECK(use.bytes ==
        blocks_of(folder / "tree") + blocks_of(folder / "tree/inner") + blocks_of(folder / "tree/file"));
  CHECK(use.entries == 5);
  CHECK(io::measure_tree(folder / "tree/file").entries == 1);
  CHECK(io::measure_tree(folder / "none").entries == 0);
}

TEST_CASE("a mount is neither counted nor emptied, and named") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "tree/a/mount"));
  REQUIRE(io::make_directories(folder / "tree/b"));
  REQUIRE(io::make_directories(folder / "other/inner"));
  if (::mount((folder / "other").c_str(), (folder / "tree/a/mount").c_str(), nullptr, MS_BIND, nullptr) !=
      0) {
    WARN_MESSAGE(errno == EPERM, "not root: no mount to try");
    return;
  }
  CHECK(io::measure_tree(folder / "tree").entries == 3);
  const auto removed = io::remove_tree(folder / "tree");
  const auto itself = io::remove_tree(folder / "tree/a/mount");
  ::umount((folder / "tree/a/mount").c_str());
  REQUIRE(!removed);
  CHECK(removed.error().message.find("mount is a mount; it is not removed") != std::string::npos);
  CHECK(!itself);
  CHECK(!io::path_exists(folder / "tree/b"));
  CHECK(io::path_exists(folder / "other/inner"));
}

TEST_CASE("a tree that changes while it is counted and removed is borne") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "keep/inner"));
  for (int round = 0; round < 3; ++round) {
    make_chain(folder / "tree", 200, "a");
    make_chain(folder / "tree/b", 100, "a");
    std::atomic<bool> over = false;
    std::thread other([&] {
      const std::string from = folder / "tree/a/a", to = folder / "tree/b/c", link = folder / "tree/b/a/a";
      while (!over) {
        ::rename(from.c_str(), to.c_str());
        ::rename(to.c_str(), from.c_str());
        ::rename((link + "/a").c_str(), (link + "/moved").c_str());
        ::symlink((folder / "keep").c_str(), (link + "/a").c_str());
        ::unlink((link + "/a").c_str());
        ::rename((link + "/moved").c_str(), (link + "/a").c_str());
      }
    });
    for (int i = 0; i < 50; ++i) CHECK(io::measure_tree(folder / "tree").entries <= 700);
    auto removed = io::remove_tree(folder / "tree");
    over = true;
    other.join();
    CHECK(io::path_exists(folder / "keep/inner"));
    CHECK(io::remove_tree(folder / "tree"));
  }
}

TEST_CASE("a full disk's tree is removed though nothing can be moved up") {
  const Folder folder;
  const std::string image = folder / "disk.img", disk = folder / "disk";
  REQUIRE(io::make_directories(disk));
  {
    const io::UniqueFd file(::open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::ftruncate(file.get(), 8 << 20) == 0);
  }
  const std::string make = "mkfs.ext4 -q -F -m 0 -b 1024 -O ^has_journal " + image +
                           " 2>/dev/null && mount -o loop " + image + " " + disk + " 2>/dev/null";
  if (::system(make.c_str()) != 0) {
    MESSAGE("no loop device: no full disk to try");
    return;
  }
  REQUIRE(io::make_directories(disk + "/tree"));
  auto deep = make_chain(disk + "/tree", 18, std::string(kLongest, 'a'));
  for (int i = 0; ::mkdirat(deep.get(), (std::string(200, 'b') + std::to_string(i)).c_str(), 0700) == 0;
       ++i) {
  }
  CHECK(errno == ENOSPC);
  deep.reset();
  CHECK(io::remove_tree(disk + "/tree"));
  CHECK(!io::path_exists(disk + "/tree"));
  ::umount(disk.c_str());
}
