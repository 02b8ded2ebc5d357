#include "node/images/tar_heads.h"

#include <fmt/core.h>

#include <algorithm>

namespace skiff::node {

namespace {

constexpr size_t kBlock = 512;
// POSIX ustar, and GNU's and Solaris' letters: 'g' and 'x' (pax), 'X' and 'A' (Solaris), 'K', 'L' and 'V'
// (GNU).
constexpr std::string_view kDescribing = "gxXAKLV";
constexpr size_t kSize = 124, kSizeBytes = 12, kSum = 148, kSumBytes = 8, kKind = 156;

// A number as libarchive reads it: octal digits after blanks, or GNU's binary form, whose first byte has the
// highest bit.
int64_t parse_number(std::string_view field) {
  constexpr int64_t kLargest = int64_t{1} << 40;
  const bool binary = (field.front() & 0x80) != 0;
  int64_t out = binary ? field.front() & 0x7f : 0;
  field.remove_prefix(binary ? 1 : std::min(field.find_first_not_of(" \t"), field.size()));
  for (const char c : field) {
    if (!binary && (c < '0' || c > '7')) break;
    out = binary ? out * 256 + static_cast<unsigned char>(c) : out * 8 + (c - '0');
    if (out > kLargest) return kLargest;
  }
  return out;
}

// Old programs summed signed bytes.
bool has_its_sum(std::string_view block) {
  int64_t sum = 0, of_signed = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const char c = i >= kSum && i < kSum + kSumBytes ? ' ' : block[i];
    sum += static_cast<unsigned char>(c);
    of_signed += static_cast<signed char>(c);
  }
  const int64_t said = parse_number(block.substr(kSum, kSumBytes));
  return said == sum || said == of_signed;
}

}  // namespace

Result<void> TarHeads::look_at_block(std::string_view block) {
  if (kDescribing.find(block[kKind]) == kDescribing.npos || !has_its_sum(block)) return {};
  const int64_t size = parse_number(block.substr(kSize, kSizeBytes));
  if (size > kMostHeadBytes) {
    return fail(Code::kDataLoss,
                fmt::format("a file's name and attributes (ACL) take more than {} KB; make its folders less "
                            "deep, or leave the attributes out",
                            kMostHeadBytes >> 10));
  }
  if (size <= kLargeHeadBytes || ++large_ <= kMostLargeHeads) return {};
  return fail(Code::kDataLoss,
              fmt::format("more than {} files have names and attributes (ACL) of more than {} KB; make the "
                          "names shorter, or leave the attributes out",
                          kMostLargeHeads, kLargeHeadBytes >> 10));
}

Result<void> TarHeads::look(std::string_view piece) {
  if (!part_.empty()) {
    const auto rest = piece.substr(0, kBlock - part_.size());
    part_ += rest;
    piece.remove_prefix(rest.size());
    if (part_.size() < kBlock) return {};
    SKIFF_RETURN_IF_ERROR(look_at_block(part_));
    part_.clear();
  }
  for (; piece.size() >= kBlock; piece.remove_prefix(kBlock))
    SKIFF_RETURN_IF_ERROR(look_at_block(piece.substr(0, kBlock)));
  part_ = piece;
  return {};
}

}  // namespace skiff::node
