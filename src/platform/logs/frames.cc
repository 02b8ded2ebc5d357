#include "platform/logs/frames.h"

#include "base/strings.h"

namespace skiff::platform {

namespace {

// "<40>1 time host app proc - text": five words before the dash.
constexpr int kWordsBeforeHost = 2;
constexpr int kWordsAfterHost = 3;

std::string_view take_word(std::string_view& text) {
  const auto halves = split_once(text, " ");
  text = halves.after;
  return halves.before;
}

}  // namespace

std::vector<FramedLine> parse_frames(std::string_view body) {
  std::vector<FramedLine> lines;
  while (!body.empty()) {
    const auto halves = split_once(body, " ");
    const auto length = parse_uint(halves.before);
    if (!length || *length > halves.after.size()) return lines;
    std::string_view frame = halves.after.substr(0, *length);
    body = halves.after.substr(*length);
    for (int i = 0; i < kWordsBeforeHost; ++i) take_word(frame);
    const std::string host(take_word(frame));
    for (int i = 0; i < kWordsAfterHost; ++i) take_word(frame);
    lines.push_back({host, std::string(trim(frame))});
  }
  return lines;
}

}  // namespace skiff::platform
