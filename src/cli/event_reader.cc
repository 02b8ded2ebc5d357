#include "cli/event_reader.h"

#include "base/strings.h"

namespace skiff::cli {

void EventReader::take_line(std::string_view line, const Sink& sink) {
  if (line.empty()) {
    if (!id_.empty()) last_id_ = id_;
    if (!data_.empty()) sink(data_);
    data_.clear();
    return;
  }
  const auto halves = split_once(line, ":");
  std::string_view value = halves.after;
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (halves.before == "data") data_ += std::string(value) + "\n";
  if (halves.before == "id") id_ = std::string(value);
}

void EventReader::add(std::string_view piece, const Sink& sink) {
  pending_ += piece;
  size_t from = 0;
  for (size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', from)) {
    take_line(std::string_view(pending_).substr(from, end - from), sink);
    from = end + 1;
  }
  pending_.erase(0, from);
}

}  // namespace skiff::cli
