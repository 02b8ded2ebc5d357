#include "base/strings.h"
#include "platform/logs/collector.h"

namespace skiff::platform {

void OutputCutter::take(std::string_view line, std::vector<OutputLine>& out) {
  const auto halves = split_once(line, " ");
  const auto time = parse_rfc3339(halves.before);
  if (!time || *time < stored_.time) return;
  if (*time == stored_.time && seen_ < stored_.lines) {
    ++seen_;
    return;
  }
  std::string_view text = halves.after;
  if (text.ends_with('\r')) text.remove_suffix(1);
  out.push_back({*time, std::string(text)});
}

std::vector<OutputLine> OutputCutter::add(std::string_view text) {
  std::vector<OutputLine> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (!too_long_) pending_ += text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool whole = end != std::string_view::npos;
    if (!too_long_ && (whole || pending_.size() > kMaxOutputLine)) {
      take(std::string_view(pending_).substr(0, kMaxOutputLine), out);
      pending_.clear();
      too_long_ = !whole;
    } else if (whole) {
      too_long_ = false;
    }
  }
  return out;
}

}  // namespace skiff::platform
