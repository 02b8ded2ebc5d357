#include "edge/chunks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::edge {
namespace {

constexpr size_t kMaxSizeDigits = 16;                    // leading zeros included, for a strict reader
constexpr uint64_t kMaxChunk = (uint64_t{1} << 60) - 1;  // fits whatever others count with
constexpr size_t kRegularDigits = 15;
constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kBadChunk = "bad chunk";

// The length of a size line that nobody could read otherwise: digits without leading zero, CRLF. 0: it is
// none, or not complete.
size_t regular_line(std::string_view text, uint64_t& size) {
  size = 0;
  size_t at = 0;
  for (; at < text.size() && at <= kRegularDigits; ++at) {
    const int digit = hex_digit(text[at]);
    if (digit < 0) break;
    size = size * 16 + static_cast<uint64_t>(digit);
  }
  const bool regular = at > 0 && at <= kRegularDigits && (text[0] != '0' || at == 1);
  return regular && text.substr(at, kCrlf.size()) == kCrlf ? at + kCrlf.size() : 0;
}

}  // namespace

// Walks over the bytes and collects what goes on of them.
class Chunks::Relay {
 public:
  Relay(std::string_view data, std::string& copy) : data_(data), copy_(copy) { copy_.clear(); }
  std::string_view rest() const { return data_.substr(at_); }
  size_t at() const { return at_; }
  void pass(size_t bytes) { at_ += bytes; }
  void drop(size_t bytes) {
    flush();
    at_ += bytes;
    from_ = at_;
  }
  void say(std::string_view text) {
    flush();
    copy_ += text;
  }
  std::string_view result() {
    if (copy_.empty()) return data_.substr(from_, at_ - from_);
    flush();
    return copy_;
  }

 private:
  void flush() {
    copy_.append(data_, from_, at_ - from_);
    from_ = at_;
  }
  std::string_view data_;
  std::string& copy_;
  size_t from_ = 0, at_ = 0;  // what passes as it is, since the last change
};

void Chunks::start(Reading reading, Form form) {
  part_ = Part::kSize;
  reading_ = reading;
  form_ = form;
  forgiven_ = false;
  line_bytes_ = 0;
  left_ = 0;
  trailers_.reset();
  error_ = {};
}

bool Chunks::refuse(std::string_view why) {
  error_ = why;
  return false;
}

std::optional<Piece> Chunks::consume(std::string_view data, std::string& buffer) {
  Relay relay(data, buffer);
  while (relay.at() < data.size() && part_ != Part::kDone) {
    if (!step(relay)) return std::nullopt;
  }
  return Piece{relay.at(), relay.result()};
}

bool Chunks::step(Relay& relay) {
  switch (part_) {
    case Part::kData: {
      const auto size = std::min<uint64_t>(left_, relay.rest().size());
      relay.pass(size);
      left_ -= size;
      if (left_ == 0) part_ = Part::kDataEnd;
      return true;
    }
    case Part::kDataEnd:
    case Part::kDataLf:
      return take_data_end(relay);
    case Part::kTrailers:
      return take_trailers(relay);
    case Part::kSize:
      if (line_bytes_ == 0 && take_size_line(relay)) return true;
      [[fallthrough]];
    default: {
      const char c = relay.rest().front();
      relay.drop(1);
      return take_size_char(c, relay);
    }
  }
}

// The usual case, in one go.
bool Chunks::take_size_line(Relay& relay) {
  const size_t line = regular_line(relay.rest(), left_);
  if (line == 0) {
    left_ = 0;
    return false;
  }
  const bool whole_end = left_ == 0 && relay.rest().substr(line, kCrlf.size()) == kCrlf;
  if (left_ == 0 && !whole_end) {
    relay.drop(line);
    part_ = Part::kTrailers;
    return true;
  }
  const size_t size = whole_end ? line + kCrlf.size() : line;
  if (form_ == Form::kChunks) {
    relay.pass(size);
  } else {
    relay.drop(size);
  }
  part_ = whole_end ? Part::kDone : Part::kData;
  return true;
}

bool Chunks::take_size_char(char c, Relay& relay) {
  const bool lenient = reading_ == Reading::kLenient;
  const bool blank = c == ' ' || c == '\t';
  if (++line_bytes_ > kMaxChunkLine) return refuse(kBadChunk);
  if (part_ == Part::kSizeLf) {
    end_size_line(relay);
    return c == '\n' || refuse(kBadChunk);
  }
  if (part_ == Part::kExtension) {
    if (c == '\r') part_ = Part::kSizeLf;
    const bool text = blank || (static_cast<unsigned char>(c) > 0x20 && c != 0x7f);
    return c == '\r' || text || refuse(kBadChunk);
  }
  if (const int digit = hex_digit(c); digit >= 0 && part_ == Part::kSize) {
    left_ = left_ * 16 + static_cast<uint64_t>(digit);
    return (left_ <= kMaxChunk && (lenient || line_bytes_ <= kMaxSizeDigits)) || refuse(kBadChunk);
  }
  if (line_bytes_ == 1) return refuse(kBadChunk);
  if (c == '\r') {
    part_ = Part::kSizeLf;
  } else if (c == ';') {
    part_ = Part::kExtension;
  } else if (blank && lenient) {
    part_ = Part::kPadding;
  } else if (c == '\n' && lenient) {
    forgiven_ = true;
    end_size_line(relay);
  } else {
    return refuse(kBadChunk);
  }
  return true;
}

void Chunks::end_size_line(Relay& relay) {
  line_bytes_ = 0;
  part_ = left_ == 0 ? Part::kTrailers : Part::kData;
  if (left_ > 0 && form_ == Form::kChunks) relay.say(fmt::format("{:x}\r\n", left_));
}

bool Chunks::take_data_end(Relay& relay) {
  const auto rest = relay.rest();
  const bool passes = form_ == Form::kChunks;
  if (part_ == Part::kDataEnd && passes && rest.starts_with(kCrlf)) {
    relay.pass(kCrlf.size());
    part_ = Part::kSize;
    return true;
  }
  const char c = rest.front();
  relay.drop(1);
  if (part_ == Part::kDataEnd && c == '\r') {
    part_ = Part::kDataLf;
    return true;
  }
  if (c != '\n' || (part_ == Part::kDataEnd && reading_ == Reading::kStrict)) return refuse(kBadChunk);
  forgiven_ = forgiven_ || part_ == Part::kDataEnd;
  if (passes) relay.say(kCrlf);
  part_ = Part::kSize;
  return true;
}

bool Chunks::take_trailers(Relay& relay) {
  size_t used = 0;
  if (!trailers_) trailers_ = std::make_unique<Trailers>(reading_);
  const auto state = trailers_->take(relay.rest(), used);
  relay.drop(used);
  if (state == Trailers::State::kBad) return refuse("bad trailer");
  if (state == Trailers::State::kMore) return true;
  part_ = Part::kDone;
  forgiven_ = forgiven_ || trailers_->forgiven();
  if (form_ == Form::kChunks) {
    relay.say("0\r\n");
    relay.say(trailers_->fields());
    relay.say(kCrlf);
  }
  trailers_.reset();
  return true;
}

}  // namespace skiff::edge
