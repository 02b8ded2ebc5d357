// Where a message's body ends, and what of it goes on. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "edge/chunks.h"
#include "edge/head.h"

namespace skiff::edge {

class Body {
 public:
  void start(Framing framing, uint64_t length, Reading reading = Reading::kStrict, Form form = Form::kChunks);
  // What of the bytes belongs to the body and what goes on; nothing when it is malformed, for the reason that
  // error() gives. `buffer` holds what goes on when that is not part of the bytes.
  std::optional<Piece> consume(std::string_view data, std::string& buffer);
  bool done() const { return done_; }
  std::string_view error() const { return chunks_.error(); }
  // The receiver sees its end only by the end of the connection.
  bool ends_with_connection() const {
    return framing_ == Framing::kUntilClose ||
           (framing_ == Framing::kChunked && chunks_.form() == Form::kContent);
  }
  // See Chunks::forgiven().
  bool forgiven() const { return framing_ == Framing::kChunked && chunks_.forgiven(); }
  Framing framing() const { return framing_; }

 private:
  Framing framing_ = Framing::kNone;
  bool done_ = true;
  uint64_t left_ = 0;
  Chunks chunks_;
};

}  // namespace skiff::edge
