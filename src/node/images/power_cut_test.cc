// What a power cut may do to images, at each step of making and unpacking them.
#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "io/file.h"
#include "node/images/layer_seal.h"
#include "node/images/layout_write.h"
#include "node/images/store.h"
#include "testing/power_cut.h"

using namespace skiff;
using namespace skiff::node;

namespace {

const std::string kText(5000, 'x');
constexpr const char* kName = "skiff.local/shop:1";

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path = "/tmp/skiff-cut-test-XXXXXX";
};

// A tar of "bin/program" and "empty".
void write_tar(const std::string& path) {
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  for (const auto& [name, text] :
       {std::pair<const char*, std::string>{"bin/program", kText}, {"empty", ""}}) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(text.size()));
    REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
    archive_write_data(out, text.data(), text.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

Result<void> make_layout(const std::string& root) {
  write_tar(root + "/layer.tar");
  auto made = write_layout(root + "/images/shop", "1", {}, {{root + "/layer.tar", ""}});
  return made ? Result<void>{} : std::unexpected(made.error());
}

Result<Image> import(const std::string& root) {
  auto image = read_layout(root + "/images/shop", "1");
  if (!image) return std::unexpected(image.error());
  return ImageStore::unpack_image({root + "/node"}, root + "/images/shop", *image);
}

std::optional<Image> stored(const std::string& root) {
  ImageStore store({root + "/node"});
  REQUIRE(store.open());
  return store.find(kName);
}

bool is_good(const std::string& root, const Image& image) {
  const std::string layer = root + "/node/images/layers/" + image.layers.at(0);
  return io::read_file(layer + "/bin/program") == kText && io::path_exists(layer + "/empty");
}

}  // namespace

TEST_CASE("after a cut at any step of its making an image is whole or not there") {
  const Folder folder;
  REQUIRE(io::make_directories(folder / "images"));
  testing::PowerCut power(folder.path);
  REQUIRE(make_layout(folder.path));
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string layout = power.after_cut(i) + "/images/shop";
    const auto image = read_layout(layout, "1");
    if (image) CHECK(verify_blob(blob_path(layout, image->layers.at(0).digest), image->layers.at(0).digest));
  }
  CHECK(read_layout(power.after_cut(power.cuts()) + "/images/shop", "1"));
}

TEST_CASE("after a cut at any step of unpacking, what the store knows is whole, and the rest is made again") {
  const Folder folder;
  REQUIRE(make_layout(folder.path));
  testing::PowerCut power(folder.path);
  {
    ImageStore store({folder / "node"});
    REQUIRE(store.open());
    auto image = import(folder.path);
    REQUIRE(image);
    REQUIRE(store.write(kName, *image));
  }
  REQUIRE(power.cuts() > 5);
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string root = power.after_cut(i);
    if (const auto image = stored(root)) CHECK(is_good(root, *image));
    const auto again = import(root);
    REQUIRE(again);
    CHECK(is_good(root, *again));
  }
  CHECK(stored(power.after_cut(power.cuts())));
}

TEST_CASE("a layer that was damaged is found and made again") {
  const Folder folder;
  REQUIRE(make_layout(folder.path));
  const NodePaths paths{folder / "node"};
  REQUIRE(io::make_directories(paths.layers()));
  const auto image = import(folder.path);
  REQUIRE(image);
  CHECK(ImageStore::is_whole(paths, *image));
  const std::string layer = paths.layers() + "/" + image->layers.at(0);
  const auto repaired = [&] {
    CHECK(!ImageStore::is_whole(paths, *image));
    REQUIRE(import(folder.path));
    CHECK(ImageStore::is_whole(paths, *image));
    CHECK(is_good(folder.path, *image));
    CHECK(io::list_directory(paths.layers())->size() == 1);
  };
  SUBCASE("an emptied file") {
    REQUIRE(::truncate((layer + "/bin/program").c_str(), 0) == 0);
    repaired();
  }
  SUBCASE("a missing file") {
    REQUIRE(::unlink((layer + "/empty").c_str()) == 0);
    repaired();
  }
  SUBCASE("a layer without a seal where others have one") {
    forget_seal(paths, image->layers.at(0));
    repaired();
  }
  SUBCASE("a layer of a version that kept no seals, but not when it is visibly damaged") {
    REQUIRE(io::remove_tree(paths.images() + "/seals"));
    REQUIRE(::truncate((layer + "/bin/program").c_str(), 0) == 0);
    REQUIRE(seal_old_layers(paths, {image->layers.at(0)}));
    repaired();
  }
  SUBCASE("an emptied blob is named, and a whole layer needs none") {
    const auto layout = read_layout(folder / "images/shop", "1");
    REQUIRE(::truncate(blob_path(folder / "images/shop", layout->layers.at(0).digest).c_str(), 0) == 0);
    CHECK(read_layout(folder / "images/shop", "1").error().code == Code::kDataLoss);
    CHECK(ImageStore::is_whole(paths, *image));
  }
}

TEST_CASE("what a killed agent left of an unpacking is out of the way at once and then removed") {
  const Folder folder;
  const NodePaths paths{folder / "node"};
  REQUIRE(io::make_directories(paths.layers() + "/abc.partialXYZ/usr"));
  REQUIRE(io::make_directories(paths.layers() + "/def"));
  ImageStore store(paths);
  REQUIRE(store.open());
  CHECK(io::list_directory(paths.layers()) == std::vector<std::string>{"def"});
  CHECK(io::list_directory(paths.images())->size() == 3);
  REQUIRE(remove_leftovers(paths));
  CHECK(io::list_directory(paths.images()) == std::vector<std::string>{"layers", "names"});
}
