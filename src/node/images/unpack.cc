#include "node/images/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "base/strings.h"
#include "io/file.h"
#include "io/inside.h"
#include "node/images/tar_stream.h"

namespace skiff::node {

namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

// "./a//b/" → "a/b"; nothing when a component is "..".
std::optional<std::string> clean_path(const char* raw) {
  if (raw == nullptr) return std::nullopt;
  std::string out;
  for (const auto& part : split(raw, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    out += (out.empty() ? "" : "/") + part;
  }
  return out;
}

// True when every folder on the way is a real one, or not there yet: no link that leads away. The kernel
// walks the path once, however deep it is.
bool parent_is_inside(const std::string& folder, const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return true;
  const io::UniqueFd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const io::UniqueFd parent(
      io::open_below(root.get(), path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY, io::Links::kRefuse));
  return parent || errno == ENOENT;
}

Result<void> apply_whiteout(const std::string& folder, const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? folder : folder + "/" + path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (!parent_is_inside(folder, path)) return fail(Code::kDataLoss, "a whiteout leaves the image: " + path);
  SKIFF_RETURN_IF_ERROR(io::make_directories(parent, 0755));
  if (name == kOpaque) {
    if (::setxattr(parent.c_str(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
      return fail_errno(errno, "mark " + parent + " opaque");
    }
    return {};
  }
  const std::string target = parent + "/" + name.substr(kWhiteout.size());
  if (::mknod(target.c_str(), S_IFCHR, makedev(0, 0)) != 0 && errno != EEXIST) {
    return fail_errno(errno, "make whiteout " + target);
  }
  return {};
}

Result<void> copy_data(archive* from, archive* to, const std::string& path) {
  for (;;) {
    const void* block = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int got = archive_read_data_block(from, &block, &size, &offset);
    if (got == ARCHIVE_EOF) return {};
    if (got < ARCHIVE_WARN) return archive_failure(from, "read " + path);
    if (archive_write_data_block(to, block, size, offset) < ARCHIVE_WARN) {
      return archive_failure(to, "write " + path);
    }
  }
}

Result<void> extract(archive* from, archive* to, archive_entry* entry, const std::string& folder,
                     const std::string& path) {
  archive_entry_set_pathname(entry, (folder + "/" + path).c_str());
  if (const char* link = archive_entry_hardlink(entry); link != nullptr) {
    const auto target = clean_path(link);
    if (!target || !parent_is_inside(folder, *target)) {
      return fail(Code::kDataLoss, "a link leaves the image: " + path);
    }
    archive_entry_set_hardlink(entry, (folder + "/" + *target).c_str());
  }
  if (archive_write_header(to, entry) < ARCHIVE_WARN) return archive_failure(to, "create " + path);
  if (archive_entry_size(entry) > 0) SKIFF_RETURN_IF_ERROR(copy_data(from, to, path));
  if (archive_write_finish_entry(to) < ARCHIVE_WARN) return archive_failure(to, "finish " + path);
  return {};
}

std::unexpected<Error> too_much(const std::string& blob, const std::string& what, const char* advice) {
  return fail(Code::kResourceExhausted, fmt::format("layer {} {}; make the image {}", blob, what, advice));
}

int64_t count_folders(const char* path) {
  const std::string_view text = path == nullptr ? "" : path;
  return std::ranges::count(text, '/');
}

// A plain tar has the bytes of its files, but those of holes: a byte in each block of the disk, and nothing
// between, would take hundreds of times as much there.
LayerBounds bounds_of(const std::string& blob, Compression compression, LayerBounds bounds) {
  struct stat info{};
  if (compression == Compression::kNone && ::stat(blob.c_str(), &info) == 0)
    bounds.bytes = std::min<int64_t>(bounds.bytes, info.st_size);
  return bounds;
}

// Takes an entry off what the layer may still hold. A tar's entry gives no more bytes than it declares.
Result<void> take_entry(LayerBounds& left, archive_entry* entry, const LayerBounds& bounds,
                        const std::string& blob) {
  if (--left.entries < 0)
    return too_much(blob, fmt::format("has more than {} entries", bounds.entries), "smaller");
  const int64_t size = archive_entry_size(entry);
  if (size < 0 || size > left.bytes) {
    return too_much(blob, fmt::format("unpacks to more than {} bytes", bounds.bytes),
                    "smaller, and its files without holes");
  }
  left.bytes -= size;
  left.folders -= count_folders(archive_entry_pathname(entry)) + count_folders(archive_entry_hardlink(entry));
  if (left.folders < 0) {
    return too_much(blob, fmt::format("names more than {} folders in the paths of its files", bounds.folders),
                    "smaller, or less deep");
  }
  return {};
}

}  // namespace

Result<void> unpack_layer(const std::string& blob, Compression compression, const std::string& folder,
                          const LayerBounds& most) {
  const LayerBounds bounds = bounds_of(blob, compression, most);
  char* resolved = ::realpath(folder.c_str(), nullptr);
  if (resolved == nullptr) return fail_errno(errno, "find " + folder);
  const std::string root = resolved;
  std::free(resolved);
  auto opened = TarStream::open(blob, compression);
  if (!opened) return std::unexpected(opened.error());
  archive* const from = (*opened)->tar();
  const ArchivePtr to(archive_write_disk_new());
  archive_write_disk_set_options(
      to.get(), ARCHIVE_EXTRACT_OWNER | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_XATTR |
                    ARCHIVE_EXTRACT_ACL | ARCHIVE_EXTRACT_UNLINK | ARCHIVE_EXTRACT_SECURE_SYMLINKS);
  LayerBounds left = bounds;
  for (;;) {
    archive_entry* entry = nullptr;
    const int got = (*opened)->next(&entry);
    if (got == ARCHIVE_EOF) break;
    if (got < ARCHIVE_WARN) return archive_failure(from, "read layer " + blob);
    SKIFF_RETURN_IF_ERROR(take_entry(left, entry, bounds, blob));
    const auto path = clean_path(archive_entry_pathname(entry));
    if (!path) return fail(Code::kDataLoss, "layer " + blob + " has an entry outside its root");
    if (path->empty()) continue;
    // Nothing could open it by its path later, and libarchive would change the process's folder to make it.
    if (root.size() + path->size() + 1 >= PATH_MAX) {
      return fail(Code::kDataLoss, "layer " + blob + " has an entry with a path of " +
                                       std::to_string(path->size()) + " bytes; make its folders less deep");
    }
    const size_t slash = path->rfind('/');
    const std::string name = slash == std::string::npos ? *path : path->substr(slash + 1);
    auto done = name.starts_with(kWhiteout) ? apply_whiteout(root, *path)
                                            : extract(from, to.get(), entry, root, *path);
    if (!done) return done;
  }
  // Times and modes of folders are set here, when nothing is written into them any more.
  if (archive_write_close(to.get()) < ARCHIVE_WARN) return archive_failure(to.get(), "finish layer " + blob);
  return {};
}

}  // namespace skiff::node
