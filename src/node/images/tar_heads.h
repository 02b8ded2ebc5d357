// Looks at the heads of a tar before a parser does. Some only describe the entry after them: long names, pax
// records, ACLs. libarchive takes time by the square of an ACL's length, so that an image of some kilobytes
// would hold its thread for minutes; whoever makes an image, a build too, chooses such heads.
//
//   TarHeads heads;
//   while (next piece) SKIFF_RETURN_IF_ERROR(heads.look(piece));
//
// Every block of 512 bytes that could be such a head is taken for one, so none is missed, whatever a parser
// makes of the sizes before it. A tar within the tar is held to the same bounds.
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

  std::string part_;  // of a block, whose rest is in the next piece
  int large_ = 0;
};

}  // namespace skiff::node
