#include "edge/body.h"

#include <algorithm>

namespace skiff::edge {
namespace {
constexpr int kMaxSizeDigits = 15;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

void Body::start(Framing framing, uint64_t length) {
  framing_ = framing;
  left_ = framing == Framing::kLength ? length : 0;
  chunk_ = Chunk::kSize;
  digits_ = 0;
  extra_ = 0;
  done_ = framing == Framing::kNone;
}

std::optional<size_t> Body::consume(std::string_view data) {
  if (done_) return 0;
  if (framing_ == Framing::kUntilClose) return data.size();
  if (framing_ == Framing::kLength) {
    const auto n = std::min<uint64_t>(left_, data.size());
    left_ -= n;
    done_ = left_ == 0;
    return n;
  }
  size_t at = 0;
  while (at < data.size() && !done_) {
    if (chunk_ == Chunk::kData) {
      const auto n = std::min<uint64_t>(left_, data.size() - at);
      left_ -= n;
      at += n;
      if (left_ == 0) chunk_ = Chunk::kDataCr;
    } else if (!step(data[at++])) {
      return std::nullopt;
    }
  }
  return at;
}

bool Body::step(char c) {
  const bool text = c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  switch (chunk_) {
    case Chunk::kSize:
      if (const int digit = hex_digit(c); digit >= 0) {
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        return ++digits_ <= kMaxSizeDigits;
      }
      if (digits_ == 0) return false;
      chunk_ = c == '\r' ? Chunk::kSizeLf : Chunk::kExtension;
      return c == '\r' || c == ';';
    case Chunk::kExtension:
      if (c == '\r') chunk_ = Chunk::kSizeLf;
      return (c == '\r' || text) && ++extra_ <= kMaxTrailerBytes;
    case Chunk::kSizeLf:
      digits_ = 0;
      chunk_ = left_ == 0 ? Chunk::kTrailer : Chunk::kData;
      return c == '\n';
    case Chunk::kData:
      return false;
    case Chunk::kDataCr:
      chunk_ = Chunk::kDataLf;
      return c == '\r';
    case Chunk::kDataLf:
      chunk_ = Chunk::kSize;
      return c == '\n';
    case Chunk::kTrailer:
      chunk_ = c == '\r' ? Chunk::kEndLf : Chunk::kTrailerLine;
      return (c == '\r' || (text && c != ' ' && c != '\t')) && ++extra_ <= kMaxTrailerBytes;
    case Chunk::kTrailerLine:
      if (c == '\r') chunk_ = Chunk::kTrailerLf;
      return (c == '\r' || text) && ++extra_ <= kMaxTrailerBytes;
    case Chunk::kTrailerLf:
      chunk_ = Chunk::kTrailer;
      return c == '\n';
    case Chunk::kEndLf:
      done_ = true;
      return c == '\n';
  }
  return false;
}

}  // namespace skiff::edge
