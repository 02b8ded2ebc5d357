#include "edge/body.h"

#include <algorithm>

namespace skiff::edge {

void Body::start(Framing framing, uint64_t length, Reading reading, Form form) {
  framing_ = framing;
  left_ = framing == Framing::kLength ? length : 0;
  done_ = framing == Framing::kNone;
  if (framing == Framing::kChunked) chunks_.start(reading, form);
}

std::optional<Piece> Body::consume(std::string_view data, std::string& buffer) {
  if (done_) return Piece{};
  if (framing_ == Framing::kUntilClose) return Piece{data.size(), data};
  if (framing_ == Framing::kLength) {
    const auto size = std::min<uint64_t>(left_, data.size());
    left_ -= size;
    done_ = left_ == 0;
    return Piece{size, data.substr(0, size)};
  }
  const auto piece = chunks_.consume(data, buffer);
  done_ = chunks_.done();
  return piece;
}

}  // namespace skiff::edge
