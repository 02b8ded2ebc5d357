#include "platform/logs/frames.h"

#include <optional>

#include "base/strings.h"

namespace skiff::platform {

namespace {

// "<40>1 time host app proc - text".
constexpr int kWordsAfterHost = 3;

std::string_view take_word(std::string_view& text) {
  const auto halves = split_once(text, " ");
  text = halves.after;
  return halves.before;
}

// Many frames share a time.
class TimeReader {
 public:
  std::optional<WallTime> read(std::string_view text) {
    if (text == text_) return time_;
    const auto time = parse_rfc3339(text);
    if (!time) return std::nullopt;
    text_ = text;
    time_ = *time;
    return time_;
  }

 private:
  std::string_view text_;
  WallTime time_{};
};

}  // namespace

std::vector<FramedLine> parse_frames(std::string_view body) {
  std::vector<FramedLine> lines;
  TimeReader times;
  while (!body.empty()) {
    const auto halves = split_once(body, " ");
    const auto length = parse_uint(halves.before);
    if (!length || *length > halves.after.size()) return lines;
    std::string_view frame = halves.after.substr(0, *length);
    body = halves.after.substr(*length);
    take_word(frame);
    const auto time = times.read(take_word(frame));
    if (!time) return lines;
    const std::string_view host = take_word(frame);
    for (int i = 0; i < kWordsAfterHost; ++i) take_word(frame);
    lines.push_back({host, *time, trim(frame)});
  }
  return lines;
}

}  // namespace skiff::platform
