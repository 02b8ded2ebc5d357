#include "platform/images/layout_writer.h"

#include <doctest/doctest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/strings.h"
#include "io/file.h"
#include "net/certificates.h"
#include "testing/power_cut.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

const std::string kSlug(3000, 's');

std::string digest_of(const std::string& text) {
  return "sha256:" + hex(net::sha256(text));
}

struct Folder {
  Folder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    REQUIRE(io::make_directories(blobs("stack")));
    make_stack();
  }
  ~Folder() { auto removed = io::remove_tree(path); }

  std::string blobs(const std::string& app) const { return path + "/images/" + app + "/blobs/sha256"; }
  std::string put(const std::string& text) const {
    const std::string digest = digest_of(text);
    REQUIRE(io::write_file_atomic(blobs("stack") + "/" + digest.substr(7), text));
    return digest;
  }
  // An image of these layers.
  Value make_image(const std::string& tag, const std::vector<std::string>& layers) const {
    Value descriptors = Value::array(), ids = Value::array();
    for (const auto& bytes : layers) {
      const std::string digest = put(bytes);
      descriptors.push_back(Value::object({{"digest", digest}, {"size", bytes.size()}}));
      ids.push_back("id of " + bytes);
    }
    const Value config = Value::object(
        {{"config", Value::object({})}, {"rootfs", Value::object({{"type", "layers"}, {"diff_ids", ids}})}});
    const Value manifest = Value::object(
        {{"config", Value::object({{"digest", put(json::encode(config))}})}, {"layers", descriptors}});
    return Value::object({{"digest", put(json::encode(manifest))},
                          {"annotations", Value::object({{"org.opencontainers.image.ref.name", tag}})}});
  }
  void write_index(const Value& manifests) const {
    REQUIRE(io::write_file_atomic(path + "/images/stack/index.json",
                                  json::encode(Value::object({{"manifests", manifests}}))));
  }
  // A run stack of one layer with these bytes.
  void make_stack(const std::string& bytes = "layer") const {
    write_index(Value::array({make_image("run", {bytes})}));
  }
  // As the builder's copy leaves it: not synced.
  AppImage slug(const std::string& tag) const {
    const std::string tar = path + "/slug.tar";
    FILE* file = ::fopen(tar.c_str(), "w");
    REQUIRE(::fwrite(kSlug.data(), 1, kSlug.size(), file) == kSlug.size());
    ::fclose(file);
    return {path + "/images", "shop", tag, {{digest_of(kSlug), static_cast<int64_t>(kSlug.size()), tar}}};
  }
  std::string path = "/tmp/skiff-layout-XXXXXX";
};

// Whether all that the tag names is there, each blob with the bytes of its digest.
bool is_whole(const std::string& root, const std::string& tag) {
  const std::string layout = root + "/images/shop/";
  const auto blob = [&](const std::string& digest) {
    const std::string text = io::read_file(layout + "blobs/sha256/" + digest.substr(7)).value_or("");
    CHECK(digest_of(text) == digest);
    return json::parse(text).value_or(Value());
  };
  const auto index = json::parse(io::read_file(layout + "index.json").value_or(""));
  for (const auto& entry : index.value_or(Value())["manifests"].items()) {
    if (entry["annotations"]["org.opencontainers.image.ref.name"].str() != tag) continue;
    const Value manifest = blob(entry["digest"].str());
    blob(manifest["config"]["digest"].str());
    for (const auto& layer : manifest["layers"].items()) blob(layer["digest"].str());
    return manifest["layers"].size() == 2;
  }
  return false;
}

// The layers of an image of the app, and the diff ids that its configuration names.
std::pair<std::vector<std::string>, std::vector<std::string>> layers_of(const std::string& root,
                                                                        const std::string& tag) {
  const std::string layout = root + "/images/shop/";
  const auto read = [&](const std::string& path) {
    return json::parse(io::read_file(layout + path).value_or("")).value_or(Value());
  };
  const auto blob = [&](const std::string& digest) { return read("blobs/sha256/" + digest.substr(7)); };
  std::pair<std::vector<std::string>, std::vector<std::string>> out;
  for (const auto& entry : read("index.json")["manifests"].items()) {
    if (entry["annotations"]["org.opencontainers.image.ref.name"].str() != tag) continue;
    const Value manifest = blob(entry["digest"].str());
    for (const auto& layer : manifest["layers"].items()) out.first.push_back(layer["digest"].str());
    const Value config = blob(manifest["config"]["digest"].str());
    for (const auto& id : config["rootfs"]["diff_ids"].items()) out.second.push_back(id.str());
  }
  return out;
}

}  // namespace

TEST_CASE("an app runs on the run stack and its languages' layers, each once") {
  const Folder folder;
  folder.write_index(Value::array({folder.make_image("run", {"base"}),
                                   folder.make_image("run-node", {"base", "shared", "node"}),
                                   folder.make_image("run-ruby", {"base", "shared", "ruby"})}));
  AppImage image = folder.slug("one");
  image.stack_layers = {"node", "ruby"};
  REQUIRE(write_app_image(image));
  const auto [layers, ids] = layers_of(folder.path, "one");
  CHECK(layers == std::vector<std::string>{digest_of("base"), digest_of("shared"), digest_of("node"),
                                           digest_of("ruby"), digest_of(kSlug)});
  CHECK(ids ==
        std::vector<std::string>{"id of base", "id of shared", "id of node", "id of ruby", digest_of(kSlug)});
  CHECK(io::path_exists(folder.blobs("shop") + "/" + digest_of("ruby").substr(7)));
}

TEST_CASE("a stack layer that is not there, or of another stack, gives no image") {
  const Folder folder;
  folder.write_index(
      Value::array({folder.make_image("run", {"base"}), folder.make_image("run-old", {"old base", "old"})}));
  for (const char* name : {"old", "missing"}) {
    AppImage image = folder.slug("one");
    image.stack_layers = {name};
    CHECK_FALSE(write_app_image(image));
  }
  CHECK_FALSE(has_app_image(folder.path + "/images", "skiff.local/shop:one"));
}

TEST_CASE("a layer of the build before is named again, and stays as long as an image names it") {
  const Folder folder;
  REQUIRE(write_app_image(folder.slug("one")));
  const int64_t bytes = static_cast<int64_t>(kSlug.size());
  REQUIRE(has_blob(folder.path + "/images", "shop", digest_of(kSlug), bytes));
  CHECK_FALSE(has_blob(folder.path + "/images", "shop", digest_of(kSlug), bytes + 1));
  CHECK_FALSE(has_blob(folder.path + "/images", "shop", digest_of("other"), 5));
  for (size_t i = 0; i <= kKeptImages; ++i) {
    AppImage image = folder.slug("next" + std::to_string(i));
    image.layers[0].tar = "";
    const std::string tar = folder.path + "/rest.tar", rest = "rest" + std::to_string(i);
    REQUIRE(io::write_file_atomic(tar, rest));
    image.layers.push_back({digest_of(rest), static_cast<int64_t>(rest.size()), tar});
    REQUIRE(write_app_image(image));
  }
  REQUIRE(prune_app_images(folder.path + "/images", "shop", {}));
  CHECK_FALSE(has_app_image(folder.path + "/images", "skiff.local/shop:one"));
  CHECK_FALSE(has_blob(folder.path + "/images", "shop", digest_of("rest0"), 5));
  const auto [layers, ids] = layers_of(folder.path, "next10");
  CHECK(layers == std::vector<std::string>{digest_of("layer"), digest_of(kSlug), digest_of("rest10")});
  CHECK(has_blob(folder.path + "/images", "shop", digest_of(kSlug), bytes));
}

TEST_CASE("after a cut at any step of a release's image, what its index names is whole") {
  const Folder folder;
  REQUIRE(write_app_image(folder.slug("one")));
  testing::PowerCut power(folder.path);
  AppImage second = folder.slug("two");
  REQUIRE(write_app_image(second));
  REQUIRE(power.cuts() > 5);
  for (size_t i = 0; i <= power.cuts(); ++i) {
    CAPTURE(i);
    const std::string root = power.after_cut(i);
    is_whole(root, "two");  // where it is named, its parts are there
    CHECK(is_whole(root, "one"));
    if (i == power.cuts()) CHECK(is_whole(root, "two"));
  }
}

TEST_CASE("a layer of the stack that was made again replaces a damaged one in an app's images") {
  const Folder folder;
  REQUIRE(write_app_image(folder.slug("one")));
  const std::string name = digest_of("layer").substr(7);
  // As a power cut before its sync leaves the file that both layouts share.
  REQUIRE(::truncate((folder.blobs("shop") + "/" + name).c_str(), 0) == 0);
  folder.make_stack();
  REQUIRE(write_app_image(folder.slug("two")));
  CHECK(is_whole(folder.path, "two"));
  struct stat info{};
  REQUIRE(::stat((folder.blobs("shop") + "/" + name).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("what can't be read now is taken neither for gone nor for damaged") {
  const Folder folder;
  std::string oldest;
  for (size_t i = 0; i <= kKeptImages; ++i) {
    auto written = write_app_image(folder.slug("tag" + std::to_string(i)));
    REQUIRE(written);
    if (i == 1) oldest = *written;  // of those that stay
  }
  // A link to itself fails as a disk does: with another error than that there is none.
  const auto while_unreadable = [](const std::string& path, const auto& work) {
    REQUIRE(::rename(path.c_str(), (path + ".aside").c_str()) == 0);
    REQUIRE(::symlink(path.c_str(), path.c_str()) == 0);
    work();
    REQUIRE(::rename((path + ".aside").c_str(), path.c_str()) == 0);
  };
  while_unreadable(folder.path + "/images/shop/index.json",
                   [&] { CHECK_FALSE(write_app_image(folder.slug("next"))); });
  while_unreadable(folder.blobs("shop") + "/" + oldest.substr(7),
                   [&] { CHECK_FALSE(prune_app_images(folder.path + "/images", "shop", {})); });
  CHECK(is_whole(folder.path, "tag1"));
  CHECK(is_whole(folder.path, "tag" + std::to_string(kKeptImages)));
}

TEST_CASE("a damaged manifest does not keep all other images for ever") {
  const Folder folder;
  std::string damaged;
  for (size_t i = 0; i < kKeptImages + 2; ++i) {
    auto written = write_app_image(folder.slug("tag" + std::to_string(i)));
    REQUIRE(written);
    damaged = *written;
  }
  REQUIRE(::truncate((folder.blobs("shop") + "/" + damaged.substr(7)).c_str(), 0) == 0);
  CHECK(prune_app_images(folder.path + "/images", "shop", {}));
  CHECK(!has_app_image(folder.path + "/images", "skiff.local/shop:tag0"));
}
