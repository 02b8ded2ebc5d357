#include "node/images/tar_heads.h"

#include <fmt/core.h>

#include <algorithm>

namespace skiff::node {

namespace {

constexpr size_t kBlock = 512;
// POSIX ustar, and GNU's and Solaris' letters: 'g' and 'x' (pax), 'X' and 'A' (Solaris), 'K', 'L' and 'V'
// (GNU).
constexpr std::string_view kDescribing = "gxXAKLV";
constexpr size_t kNameBytes = 100, kSize = 124, kSizeBytes = 12, kSum = 148, kSumBytes = 8, kKind = 156;
constexpr int64_t kLargestNumber = int64_t{1} << 40, kLargestCounted = kLargestNumber - 1;
// Records of pax that tell how many bytes follow the head of a file.
constexpr std::string_view kSizesElsewhere[] = {"size=", "GNU.sparse", "realsize"};

// A number as libarchive reads it: octal digits after blanks, or GNU's binary form, whose first byte has the
// highest bit.
int64_t parse_number(std::string_view field) {
  const bool binary = (field.front() & 0x80) != 0;
  int64_t out = binary ? field.front() & 0x7f : 0;
  field.remove_prefix(binary ? 1 : std::min(field.find_first_not_of(" \t"), field.size()));
  for (const char c : field) {
    if (!binary && (c < '0' || c > '7')) break;
    out = binary ? out * 256 + static_cast<unsigned char>(c) : out * 8 + (c - '0');
    if (out > kLargestNumber) return kLargestNumber;
  }
  return out;
}

// Old programs summed signed bytes. As libarchive, of octal digits, blanks and NULs alone: the bytes of a
// program may well have the sum 0, which is what any other text would say.
bool has_its_sum(std::string_view block) {
  constexpr std::string_view kNumber(" 01234567\0", 10);
  if (block.substr(kSum, kSumBytes).find_first_not_of(kNumber) != block.npos) return false;
  int64_t sum = 0, of_signed = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const char c = i >= kSum && i < kSum + kSumBytes ? ' ' : block[i];
    sum += static_cast<unsigned char>(c);
    of_signed += static_cast<signed char>(c);
  }
  const int64_t said = parse_number(block.substr(kSum, kSumBytes));
  return said == sum || said == of_signed;
}

// In GNU's own form, whose heads have a map of the file after the name of the form, and maybe blocks with
// more of it behind them.
bool is_sparse(std::string_view head) {
  constexpr size_t kForm = 257, kMap = 386, kHasMore = 482, kRealSize = 483;
  if (head[kKind] == 'S') return true;
  return head.substr(kForm).starts_with("ustar ") &&
         (head[kMap] != 0 || head[kHasMore] != 0 || head[kRealSize] != 0);
}

}  // namespace

Result<void> TarHeads::look_at_block(std::string_view block) {
  if (data_blocks_ > 0) {
    --data_blocks_;
    return {};
  }
  const bool in_text = text_left_ > 0;
  if (in_text) add_text(block);
  if (!has_its_sum(block)) return {};
  const int64_t size = parse_number(block.substr(kSize, kSizeBytes));
  if (!in_text) expect(block, size);
  if (kDescribing.find(block[kKind]) == kDescribing.npos) return {};
  return check_describing(size);
}

void TarHeads::expect(std::string_view head, int64_t size) {
  const char kind = head[kKind];
  const bool counted = size <= kLargestCounted && (head[kSize] & 0x80) == 0;
  if (kDescribing.find(kind) != kDescribing.npos && kind != 'V' && counted) {
    text_left_ = size;
    text_.clear();
    long_name_ = long_name_ || kind == 'L';
    return;
  }
  const std::string_view name = head.substr(0, std::min(kNameBytes, head.find('\0')));
  const bool folder = is_folder_ || (!long_name_ && name.ends_with('/'));
  long_name_ = is_folder_ = false;
  if (kind == '0' && counted && !folder && !is_sparse(head)) {
    if (sizes_known_) data_blocks_ = (size + int64_t{kBlock} - 1) / int64_t{kBlock};
  } else if (size > 0 || is_sparse(head)) {
    sizes_known_ = false;
  }
}

void TarHeads::add_text(std::string_view block) {
  const auto bytes = block.substr(0, static_cast<size_t>(std::min(text_left_, int64_t{kBlock})));
  text_ += bytes;
  text_left_ -= static_cast<int64_t>(bytes.size());
  if (text_left_ > 0) return;
  const auto has = [&](std::string_view words) { return text_.find(words) != text_.npos; };
  if (std::ranges::any_of(kSizesElsewhere, has)) sizes_known_ = false;
  if (has("/\n") || has(std::string_view("/\0", 2)) || text_.ends_with('/')) is_folder_ = true;
}

Result<void> TarHeads::check_describing(int64_t size) {
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
