#include "node/images/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>

#include "io/file.h"
#include "node/digest.h"
#include "node/images/layout.h"
#include "node/images/store.h"
#include "testing/cost.h"

using namespace skiff;
using namespace skiff::node;

namespace {

class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { auto removed = io::remove_tree(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/skiff-unpack-XXXXXX";
};

// A tar of `count` files of `size` zero bytes: "f0", "f1", … or with another name before the number.
void write_tar(const std::string& path, int (*filter)(archive*), int count, size_t size,
               const std::string& name = "f") {
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  filter(out);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  const std::string zeros(size, '\0');
  for (int i = 0; i < count; ++i) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, (name + std::to_string(i)).c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_uid(entry, ::getuid());
    archive_entry_set_gid(entry, ::getgid());
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
    archive_write_data(out, zeros.data(), zeros.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

// A tar of files that each let `users` more read them: a pax record.
void write_tar_with_acl(const std::string& path, int (*filter)(archive*), int count, int users) {
  archive* out = archive_write_new();
  archive_write_set_format_pax(out);
  filter(out);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  for (int i = 0; i < count; ++i) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, ("f" + std::to_string(i)).c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, 0);
    std::string acl = "user::rw-,group::r--,mask::r--,other::r--";
    for (int user = 1; user <= users; ++user) acl += ",user:" + std::to_string(user) + ":r--";
    REQUIRE(archive_entry_acl_from_text(entry, acl.c_str(), ARCHIVE_ENTRY_ACL_TYPE_ACCESS) == ARCHIVE_OK);
    REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

// A tar of one file with a byte in each block of the disk, and holes between.
void write_sparse_tar(const std::string& path, int blocks) {
  constexpr int64_t kBlock = 4096;
  archive* out = archive_write_new();
  archive_write_set_format_pax(out);
  REQUIRE(archive_write_open_filename(out, path.c_str()) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_pathname(entry, "f");
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_size(entry, blocks * kBlock);
  for (int i = 0; i < blocks; ++i) archive_entry_sparse_add_entry(entry, i * kBlock, 1);
  REQUIRE(archive_write_header(out, entry) == ARCHIVE_OK);
  const std::string zeros(static_cast<size_t>(blocks * kBlock), '\0');
  archive_write_data(out, zeros.data(), zeros.size());
  archive_entry_free(entry);
  archive_write_close(out);
  archive_write_free(out);
}

// A tar of one small file with a map of `holes` that are none, as GNU tar writes maps (pax, 1.0).
void write_tar_with_map(const std::string& path, int holes) {
  const auto pad = [](std::string text) { return text + std::string((512 - text.size() % 512) % 512, '\0'); };
  const auto head = [](char kind, size_t size) {
    std::string out(512, '\0');
    out.replace(0, 1, "f");
    out.replace(124, 11, fmt::format("{:011o}", size));
    out.replace(148, 8, "        ");
    out[156] = kind;
    out.replace(257, 8, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : out) sum += static_cast<unsigned char>(c);
    return out.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  };
  const std::string records =
      "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=f\n26 GNU.sparse.realsize=10\n";
  std::string map = std::to_string(holes) + "\n";
  for (int i = 0; i < holes; ++i) map += "0\n0\n";
  map = pad(map);
  REQUIRE(io::write_file_atomic(path, head('x', records.size()) + pad(records) + head('0', map.size()) + map +
                                          std::string(1024, '\0')));
}

Result<void> unpack(const Folder& folder, Compression compression, const LayerBounds& bounds = {}) {
  REQUIRE(io::make_directories(folder / "out"));
  return unpack_layer(folder / "layer", compression, folder / "out", bounds);
}

}  // namespace

TEST_CASE("a layer is unpacked as its media type says") {
  Folder plain, gzip;
  write_tar(plain / "layer", archive_write_add_filter_none, 2, 10);
  CHECK(unpack(plain, Compression::kNone));
  CHECK(io::read_file(plain / "out/f1")->size() == 10);
  write_tar(gzip / "layer", archive_write_add_filter_gzip, 2, 10);
  CHECK(unpack(gzip, Compression::kGzip));
  CHECK(io::path_exists(gzip / "out/f1"));
}

TEST_CASE("a compressed file that is called a plain tar is refused") {
  for (auto* filter : {archive_write_add_filter_gzip, archive_write_add_filter_xz}) {
    Folder folder;
    write_tar(folder / "layer", filter, 1, 1 << 20);
    auto done = unpack(folder, Compression::kNone);
    REQUIRE(!done);
    CHECK(done.error().code == Code::kDataLoss);
    CHECK(!io::path_exists(folder / "out/f0"));
  }
}

TEST_CASE("a layer over its bounds of bytes or entries is refused") {
  Folder folder;
  write_tar(folder / "layer", archive_write_add_filter_gzip, 3, 1000);
  CHECK(unpack(folder, Compression::kGzip, {3000, 3}));
  auto large = unpack(folder, Compression::kGzip, {2999, 3});
  REQUIRE(!large);
  CHECK(large.error().code == Code::kResourceExhausted);
  CHECK(large.error().message.find("more than 2999 bytes") != std::string::npos);
  auto many = unpack(folder, Compression::kGzip, {3000, 2});
  REQUIRE(!many);
  CHECK(many.error().message.find("more than 2 entries") != std::string::npos);
}

TEST_CASE("an entry whose path nothing could open is refused, however long it is") {
  for (const size_t levels : {size_t{2100}, size_t{300'000}}) {
    Folder folder;
    std::string path;
    for (size_t i = 0; i < levels; ++i) path += "d/";
    write_tar(folder / "layer", archive_write_add_filter_none, 1, 1, path + "f");
    auto done = unpack(folder, Compression::kNone);
    REQUIRE(!done);
    CHECK(done.error().message.find("less deep") != std::string::npos);
    CHECK(io::list_directory(folder / "out")->empty());
  }
}

TEST_CASE("a plain layer's files hold no more bytes than the layer, however many holes they have") {
  Folder folder;
  write_sparse_tar(folder / "layer", 2000);
  auto done = unpack(folder, Compression::kNone);
  REQUIRE(!done);
  CHECK(done.error().code == Code::kResourceExhausted);
  CHECK(done.error().message.find("without holes") != std::string::npos);
  CHECK(io::list_directory(folder / "out")->empty());
}

TEST_CASE("a map of holes takes no more memory than one may have") {
  Folder folder;
  write_tar_with_map(folder / "layer", 1'000'000);
  auto done = unpack(folder, Compression::kNone);
  REQUIRE(!done);
  CHECK(done.error().message.find("map of holes") != std::string::npos);
  write_tar_with_map(folder / "layer", 1000);
  CHECK(unpack(folder, Compression::kNone));
  CHECK(io::path_exists(folder / "out/f"));
}

TEST_CASE("what is passed over is not taken for a head") {
  Folder folder;
  write_tar(folder / "layer", archive_write_add_filter_none, 2, 3 << 20, ".wh.f");
  CHECK(unpack(folder, Compression::kNone));
}

TEST_CASE("a layer is as deep as its entries together may be") {
  Folder folder;
  write_tar(folder / "layer", archive_write_add_filter_gzip, 3, 0, "a/b/c/f");
  CHECK(unpack(folder, Compression::kGzip, {100, 10, 9}));
  auto done = unpack(folder, Compression::kGzip, {100, 10, 8});
  REQUIRE(!done);
  CHECK(done.error().message.find("more than 8 folders") != std::string::npos);
}

TEST_CASE("what a removed name costs does not grow with the folders above it") {
  const auto cost = [](size_t levels) {
    Folder folder;
    std::string path;
    for (size_t i = 0; i < levels; ++i) path += "d/";
    write_tar(folder / "layer", archive_write_add_filter_none, 20, 0, path + ".wh.f");
    REQUIRE(io::make_directories(folder / "out"));
    return testing::cost_of("", [&](const std::string&) { CHECK(unpack(folder, Compression::kNone)); }, 3);
  };
  // Twenty times as deep: by the square it would cost 400 times as much.
  CHECK(cost(1900).count() < 100 * cost(95).count());
}

TEST_CASE("a layer with a head that a parser would take minutes for is refused, packed or not") {
  for (const Compression compression : {Compression::kNone, Compression::kGzip}) {
    auto* filter =
        compression == Compression::kNone ? archive_write_add_filter_none : archive_write_add_filter_gzip;
    Folder folder;
    write_tar_with_acl(folder / "layer", filter, 1, 20'000);
    auto done = unpack(folder, compression);
    REQUIRE(!done);
    CHECK(done.error().message.find("ACL") != std::string::npos);
    write_tar_with_acl(folder / "layer", filter, 1, 20);
    CHECK(unpack(folder, compression));
  }
}

TEST_CASE("a refused layer leaves nothing in the store") {
  Folder folder;
  const NodePaths paths{folder / "data"};
  REQUIRE(io::make_directories(paths.layers()));
  REQUIRE(io::make_directories(folder / "layout/blobs/sha256"));
  write_tar(folder / "layer", archive_write_add_filter_gzip, 1, 1000);
  const std::string digest = "sha256:" + sha256_hex(*io::read_file(folder / "layer"));
  REQUIRE(::rename((folder / "layer").c_str(), blob_path(folder / "layout", digest).c_str()) == 0);
  LayoutImage image;
  image.layers = {{digest, Compression::kNone}};
  CHECK(!ImageStore::unpack_image(paths, folder / "layout", image));
  CHECK(io::list_directory(paths.layers())->empty());
}

TEST_CASE("media types name the packing of a layer") {
  CHECK(layer_compression("application/vnd.oci.image.layer.v1.tar") == Compression::kNone);
  CHECK(layer_compression("application/vnd.oci.image.layer.v1.tar+zstd") == Compression::kZstd);
  CHECK(layer_compression("application/vnd.docker.image.rootfs.diff.tar.gzip") == Compression::kGzip);
  CHECK(!layer_compression("application/vnd.oci.image.layer.v1.tar+xz"));
}
