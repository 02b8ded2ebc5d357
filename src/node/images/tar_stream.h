// The tar in a layer's blob, as libarchive's parser reads it: taken out of its packing, each head looked at
// on the way (tar_heads.h). Blocking.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "node/images/tar_heads.h"
#include "node/images/unpack.h"

struct archive;
struct archive_entry;

namespace skiff::node {

struct ArchiveCloser {
  void operator()(archive* a) const;
};
using ArchivePtr = std::unique_ptr<archive, ArchiveCloser>;

class TarStream {
 public:
  // The one packing that the blob may have: guessing would let a small "plain" tar unfold without end.
  static Result<std::unique_ptr<TarStream>> open(const std::string& blob, Compression compression);
  // The next entry, as archive_read_next_header() tells of it. What is left of the one before is passed over.
  int next(archive_entry** entry);
  // For the entry's data.
  archive* tar() const { return tar_.get(); }

 private:
  static ssize_t read(archive* tar, void* self, const void** piece);

  ArchivePtr packed_, tar_;
  TarHeads heads_;
  bool in_entry_ = false;
  int64_t head_left_ = 0;  // bytes that may still be read before there is an entry
  bool in_head_ = false;
};

// What libarchive says went wrong.
std::unexpected<Error> archive_failure(archive* a, const std::string& what);

}  // namespace skiff::node
