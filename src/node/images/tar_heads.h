// Looks at the heads of a tar before a parser does. Some only describe the entry after them: long names, pax
// records, ACLs. libarchive takes time by the square of an ACL's length, so that an image of some kilobytes
// would hold its thread for minutes; whoever makes an image, a build too, chooses such heads.
//
//   TarHeads heads;
//   while (next piece) SKIFF_RETURN_IF_ERROR(heads.look(piece));
//
// Every block of 512 bytes that could be such a head is taken for one, so none is missed, but for the data of
// files: Go's own sources hold tars with such heads. Where a file's data ends is known from its head alone as
// long as nothing told its size elsewhere (pax records, sparse files, other kinds with data); after that no
// data is passed over any more, so that a parser never reads as a head what was passed over here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::node {

constexpr int64_t kMostHeadBytes = 16 << 10;  // a name and a link of PATH_MAX, and attributes
constexpr int64_t kLargeHeadBytes = 2 << 10;  // larger ones are rare, and each may take some milliseconds
constexpr int kMostLargeHeads = 1000;         // of a layer

class TarHeads {
 public:
  // The tar's bytes in order, in pieces of any size. DataLoss: it has a head over its bound.
  Result<void> look(std::string_view piece);

 private:
  Result<void> look_at_block(std::string_view block);
  Result<void> check_describing(int64_t size);
  // Of a head that a parser reads too: what follows it.
  void expect(std::string_view head, int64_t size);
  void add_text(std::string_view block);

  std::string part_;         // of a block, whose rest is in the next piece
  std::string text_;         // of a description
  int64_t text_left_ = 0;    // bytes of it to come
  int64_t data_blocks_ = 0;  // of a file, to come
  bool long_name_ = false;   // the next file's name is told by a description
  bool is_folder_ = false;   // and ends in a slash: a parser takes it for a folder without data
  bool sizes_known_ = true;  // by the heads of files alone
  int large_ = 0;
};

}  // namespace skiff::node
