// Layers below running containers: by upgrades, repairs and collections they keep their files.
#include "node/images/damaged_layers.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <cstdlib>
#include <thread>

#include "io/file.h"
#include "io/sync.h"
#include "node/images/layer_seal.h"
#include "node/images/layout_write.h"
#include "node/images/puller.h"

using namespace skiff;
using namespace skiff::node;

namespace {

constexpr const char* kName = "skiff.local/shop:1";
const std::string kText(5000, 'x');

void write_tar(const std::string& path, const std::string& name) {
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, name.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0755);
  archive_entry_set_size(entry, static_cast<la_int64_t>(kText.size()));
  REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
  archive_write_data(out, kText.data(), kText.size());
  archive_entry_free(entry);
  archive_write_close(out);
  archive_write_free(out);
}

// A node with an image of two layers: "bin/program" over "lib/library".
struct Node {
  Node() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    REQUIRE(io::make_directories(path + "/local"));
    write_tar(path + "/below.tar", "lib/library");
    write_tar(path + "/above.tar", "bin/program");
    REQUIRE(write_layout(layout(), "1", {}, {{path + "/below.tar", ""}, {path + "/above.tar", ""}}));
    REQUIRE(io::make_directories(paths().layers()));
  }
  ~Node() { auto removed = io::remove_tree(path); }
  NodePaths paths() const { return {path + "/node"}; }
  std::string layout() const { return path + "/local/shop"; }
  std::string layer(const std::string& name) const { return paths().layers() + "/" + name; }
  Result<Image> import() const {
    auto image = read_layout(layout(), "1");
    if (!image) return std::unexpected(image.error());
    return ImageStore::unpack_image(paths(), layout(), *image);
  }
  std::string path = "/tmp/skiff-layers-test-XXXXXX";
};

std::vector<std::string> nobody() {
  return {};
}

ino_t inode(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// A process whose "root" is an overlay that only it sees, as a container's.
class Container {
 public:
  Container(const Node& node, const Image& image) : target_(node.path + "/rootfs") {
    REQUIRE(io::make_directories(target_));
    const std::string data = "lowerdir=" + image.layers.at(0) + ":" + image.layers.at(1);
    const std::string layers = node.paths().layers();
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                           ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                           ::chdir(layers.c_str()) == 0 &&
                           ::mount("overlay", target_.c_str(), "overlay", 0, data.c_str()) == 0;
      if (::write(ready[1], mounted ? "y" : "n", 1) == 1) ::pause();
      ::_exit(0);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    ::close(ready[0]);
    ::close(ready[1]);
    REQUIRE(answer == 'y');
  }
  ~Container() { end(); }
  void end() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  std::string root() const { return "/proc/" + std::to_string(process_) + "/root" + target_; }

 private:
  std::string target_;
  pid_t process_ = -1;
};

size_t set_aside(const Node& node) {
  size_t out = 0;
  const std::string folder = node.paths().images() + "/damaged";
  for (const auto& run : io::list_directory(folder).value_or(std::vector<std::string>{}))
    out += io::list_directory(folder + "/" + run)->size();
  return out;
}

Image ensure(io::Loop& loop, Puller& puller) {
  auto outcome = io::block_on(loop, puller.ensure(kName, "shop", PullPolicy::kIfNotPresent, "", {}));
  REQUIRE_MESSAGE(outcome.image, outcome.message);
  return *outcome.image;
}

}  // namespace

TEST_CASE("an image of a version that kept no seals is trusted as it is, also when its source is away") {
  const Node node;
  const auto loop = io::make_epoll_loop(1);
  const PullerOptions options{node.paths(), node.path + "/local"};
  Image image;
  {
    Puller before(*loop, options);
    REQUIRE(before.open());
    image = ensure(*loop, before);
  }
  REQUIRE(io::remove_tree(node.paths().images() + "/seals"));
  REQUIRE(io::remove_tree(node.layout() + "/blobs"));
  const ino_t above = inode(node.layer(image.layers[0])), below = inode(node.layer(image.layers[1]));
  Puller after(*loop, options);
  REQUIRE(after.open());
  REQUIRE(io::block_on(*loop, after.seal_old_layers()));
  CHECK(ensure(*loop, after).layers == image.layers);
  CHECK(inode(node.layer(image.layers[0])) == above);
  CHECK(inode(node.layer(image.layers[1])) == below);
  CHECK(set_aside(node) == 0);
}

TEST_CASE("layers are sealed as they are only once, and not when they show damage") {
  const Node node;
  const NodePaths paths = node.paths();
  const auto make = [&](const std::string& file, const std::string& text) {
    REQUIRE(io::make_directories(file.substr(0, file.rfind('/'))));
    REQUIRE(io::write_file_atomic(file, text));
  };
  make(node.layer("good") + "/usr/bin/tool", "x");
  make(node.layer("good") + "/usr/share/marker", "");
  make(node.layer("marker") + "/etc/marker", "");
  make(node.layer("program") + "/usr/bin/tool", "");
  make(node.layer("program") + "/etc/hosts", "x");
  make(node.layer("app") + "/app/srv", "");
  make(node.layer("app") + "/app/Procfile", "web: ./srv");
  REQUIRE(::chmod((node.layer("app") + "/app/srv").c_str(), 0755) == 0);
  make(node.layer("library") + "/usr/lib/libz.so.1.3", "");
  make(node.layer("library") + "/etc/hosts", "x");
  make(node.layer("emptied") + "/app/a", "");
  make(node.layer("emptied") + "/app/b", "");
  const std::string no_files = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
  REQUIRE(io::make_directories(node.layer("nothing")));
  REQUIRE(io::make_directories(node.layer(no_files)));
  REQUIRE(io::make_directories(paths.images() + "/seals.partial/left"));
  REQUIRE(seal_old_layers(
      paths, {"good", "marker", "program", "app", "library", "emptied", "nothing", "gone", no_files}));
  for (const std::string& name : {std::string("good"), std::string("marker"), no_files}) {
    CAPTURE(name);
    CHECK(layer_is_whole(paths, name));
  }
  for (const char* name : {"program", "app", "library", "emptied", "nothing", "gone"}) {
    CAPTURE(name);
    CHECK(!layer_is_whole(paths, name));
  }
  CHECK(!io::path_exists(paths.images() + "/seals.partial"));
  make(node.layer("late") + "/etc/hosts", "x");
  REQUIRE(seal_old_layers(paths, {"late"}));
  CHECK(!layer_is_whole(paths, "late"));
}

TEST_CASE("a damaged layer is made again beside the files that a running container has") {
  const Node node;
  const auto image = node.import();
  REQUIRE(image);
  const std::string name = image->layers.at(0);
  Container container(node, *image);
  CHECK(mounted_layers()->contains(name));
  forget_seal(node.paths(), name);
  REQUIRE(node.import());
  CHECK(ImageStore::is_whole(node.paths(), *image));
  CHECK(set_aside(node) == 1);
  REQUIRE(remove_damaged_layers(node.paths()));
  CHECK(io::list_directory(container.root() + "/bin") == std::vector<std::string>{"program"});
  CHECK(io::read_file(container.root() + "/bin/program") == kText);
  CHECK(io::read_file(container.root() + "/lib/library") == kText);
  container.end();
  REQUIRE(remove_damaged_layers(node.paths()));
  CHECK(set_aside(node) == 0);
  CHECK(ImageStore::is_whole(node.paths(), *image));
}

TEST_CASE("what was set aside before the machine started goes whatever is mounted") {
  const Node node;
  const auto image = node.import();
  REQUIRE(image);
  const Container container(node, *image);
  const std::string before = node.paths().images() + "/damaged/another-run";
  REQUIRE(io::make_directories(before + "/" + image->layers.at(0) + "-abcdef/bin"));
  REQUIRE(remove_damaged_layers(node.paths()));
  CHECK(!io::path_exists(before));
}

TEST_CASE("a layer that no image has any more stays below a running container") {
  const Node node;
  const auto loop = io::make_epoll_loop(1);
  Puller puller(*loop, {node.paths(), node.path + "/local"});
  REQUIRE(puller.open());
  const Image image = ensure(*loop, puller);
  Container container(node, image);
  REQUIRE(io::remove_tree(node.layout()));
  REQUIRE(io::block_on(*loop, puller.collect(nobody, Puller::Pressure::kNone)));
  CHECK(puller.list().empty());
  CHECK(io::read_file(container.root() + "/bin/program") == kText);
  container.end();
  REQUIRE(io::block_on(*loop, puller.collect(nobody, Puller::Pressure::kNone)));
  CHECK(io::list_directory(node.paths().layers())->empty());
}

TEST_CASE("of many who make a damaged layer again, none takes away what another made") {
  constexpr int kThreads = 8, kRounds = 20;
  const Node node;
  const auto image = node.import();
  REQUIRE(image);
  const std::string layer = node.layer(image->layers.at(0));
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    REQUIRE(::unlink((layer + "/bin/program").c_str()) == 0);
    std::barrier begin(kThreads);
    std::vector<ino_t> seen(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        begin.arrive_and_wait();
        if (node.import()) seen[i] = inode(layer);
      });
    }
    threads.clear();
    for (const ino_t one : seen) CHECK(one == inode(layer));
    CHECK(set_aside(node) == static_cast<size_t>(round) + 1);
    CHECK(io::list_directory(node.paths().layers())->size() == 2);
  }
}

namespace {
io::Task<void> collect_twice(Puller* puller, int* done) {
  for (int i = 0; i < 2; ++i) {
    auto collected = co_await puller->collect(nobody, Puller::Pressure::kDiskFull);
    if (collected) ++*done;
  }
}
}  // namespace

TEST_CASE("what an earlier collection could not remove stands in no later one's way") {
  const Node node;
  const auto loop = io::make_epoll_loop(2);
  Puller puller(*loop, {node.paths(), node.path + "/local"});
  REQUIRE(puller.open());
  const Image image = ensure(*loop, puller);
  // As older versions named them, and as this one does.
  REQUIRE(io::make_directories(node.layer(image.layers.at(0)) + ".partialunused/usr"));
  REQUIRE(io::make_directories(node.paths().images() + "/leftover-abcdef/it/usr"));
  REQUIRE(io::remove_tree(node.layout()));
  REQUIRE(io::block_on(*loop, puller.collect(nobody, Puller::Pressure::kNone)));
  CHECK(io::list_directory(node.paths().layers())->empty());
  CHECK(!io::path_exists(node.paths().images() + "/leftover-abcdef"));
}

TEST_CASE("collections that are asked for at once come one after the other") {
  const Node node;
  const auto loop = io::make_epoll_loop(4);
  Puller puller(*loop, {node.paths(), node.path + "/local"});
  REQUIRE(puller.open());
  static_cast<void>(ensure(*loop, puller));
  REQUIRE(io::remove_tree(node.layout()));
  int done = 0;
  io::TaskScope scope(*loop);
  for (int i = 0; i < 3; ++i) scope.spawn(collect_twice(&puller, &done));
  scope.spawn(puller.remove_leftovers());
  scope.when_empty([&loop] { loop->stop(); });
  loop->run();
  CHECK(done == 6);
  CHECK(io::list_directory(node.paths().layers())->empty());
}
