// Where a message's body ends. Bytes pass unchanged; chunks are checked on the way (RFC 9112 7.1). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "edge/head.h"

namespace skiff::edge {

class Body {
 public:
  void start(Framing framing, uint64_t length);
  // How many of the bytes belong to the body; nothing when a chunk is malformed.
  std::optional<size_t> consume(std::string_view data);
  bool done() const { return done_; }
  Framing framing() const { return framing_; }

 private:
  enum class Chunk : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLine,
    kTrailerLf,
    kEndLf
  };
  bool step(char c);
  Framing framing_ = Framing::kNone;
  Chunk chunk_ = Chunk::kSize;
  bool done_ = true;
  int digits_ = 0;
  uint64_t left_ = 0;
  size_t extra_ = 0;
};

}  // namespace skiff::edge
