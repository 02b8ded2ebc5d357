#include "node/images/tar_stream.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>

namespace skiff::node {

namespace {

constexpr size_t kPieceBytes = 256 << 10;
// Of all that stands before an entry's data. A map of holes does, too, and takes twelve times its bytes of
// memory, whatever size the file is said to have.
constexpr int64_t kMostBeforeData = 1 << 20;

// The blob as one file without a name: its bytes, unpacked.
Result<ArchivePtr> open_packed(const std::string& blob, Compression compression) {
  ArchivePtr out(archive_read_new());
  if (compression == Compression::kGzip) archive_read_support_filter_gzip(out.get());
  if (compression == Compression::kZstd) archive_read_support_filter_zstd(out.get());
  archive_read_support_format_raw(out.get());
  archive_read_support_format_empty(out.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(out.get(), blob.c_str(), kPieceBytes) != ARCHIVE_OK ||
      archive_read_next_header(out.get(), &entry) < ARCHIVE_WARN)
    return archive_failure(out.get(), "open layer " + blob);
  return out;
}

}  // namespace

void ArchiveCloser::operator()(archive* a) const {
  archive_free(a);
}

std::unexpected<Error> archive_failure(archive* a, const std::string& what) {
  const char* text = archive_error_string(a);
  return fail(Code::kDataLoss, what + ": " + (text != nullptr ? text : "unknown error"));
}

ssize_t TarStream::read(archive* tar, void* self, const void** piece) {
  auto& stream = *static_cast<TarStream*>(self);
  size_t size = 0;
  la_int64_t offset = 0;
  const int got = archive_read_data_block(stream.packed_.get(), piece, &size, &offset);
  if (got == ARCHIVE_EOF) return 0;
  if (got < ARCHIVE_WARN) {
    const char* text = archive_error_string(stream.packed_.get());
    archive_set_error(tar, EIO, "%s", text != nullptr ? text : "unknown error");
    return -1;
  }
  if (stream.in_head_ && (stream.head_left_ -= static_cast<int64_t>(size)) < 0) {
    archive_set_error(tar, EINVAL,
                      "a file's head and its map of holes take more than %d KB; leave the holes out",
                      static_cast<int>(kMostBeforeData >> 10));
    return -1;
  }
  const auto looked = stream.heads_.look({static_cast<const char*>(*piece), size});
  if (looked) return static_cast<ssize_t>(size);
  archive_set_error(tar, EINVAL, "%s", looked.error().message.c_str());
  return -1;
}

int TarStream::next(archive_entry** entry) {
  if (in_entry_) {
    const int passed = archive_read_data_skip(tar());
    if (passed < ARCHIVE_WARN) return passed;
  }
  in_head_ = true;
  head_left_ = kMostBeforeData;
  const int got = archive_read_next_header(tar(), entry);
  in_head_ = false;
  in_entry_ = got != ARCHIVE_EOF && got >= ARCHIVE_WARN;
  return got;
}

Result<std::unique_ptr<TarStream>> TarStream::open(const std::string& blob, Compression compression) {
  auto packed = open_packed(blob, compression);
  if (!packed) return std::unexpected(packed.error());
  auto out = std::make_unique<TarStream>();
  out->packed_ = std::move(*packed);
  out->tar_.reset(archive_read_new());
  archive_read_support_format_tar(out->tar());
  if (archive_read_open(out->tar(), out.get(), nullptr, TarStream::read, nullptr) != ARCHIVE_OK)
    return archive_failure(out->tar(), "open layer " + blob);
  return out;
}

}  // namespace skiff::node
