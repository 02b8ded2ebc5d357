#include "platform/logs/log_record.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::platform {

namespace {

constexpr std::string_view kNone = "-";

std::string_view word_or_none(std::string_view word) {
  return word.empty() ? kNone : word;
}

std::string_view take_word(std::string_view& text) {
  const auto halves = split_once(text, " ");
  text = halves.after;
  return halves.before;
}

}  // namespace

std::string encode_record(const LogRecord& record) {
  std::string out(word_or_none(record.uid));
  if (!record.mark.empty()) out.append("/").append(record.mark);
  return out.append(" ")
      .append(format_rfc3339_nano(record.time))
      .append(" ")
      .append(record.text)
      .append("\n");
}

std::optional<LogRecord> parse_record(std::string_view line) {
  const std::string_view origin = take_word(line);
  const auto time = parse_rfc3339(take_word(line));
  if (!time || line.empty()) return std::nullopt;
  const auto halves = split_once(origin, "/");
  LogRecord record{"", std::string(halves.after), *time, std::string(line)};
  if (halves.before != kNone) record.uid = std::string(halves.before);
  return record;
}

std::string shown_line(const LogRecord& record) {
  std::string out = format_rfc3339_micro(record.time);
  out.pop_back();
  return out.append("+00:00 ").append(record.text).append("\n");
}

void note_origin(LogOrigins& origins, const LogRecord& record) {
  if (record.uid.empty()) return;
  LogOrigin& origin = origins[record.uid];
  if (!record.mark.empty()) {
    origin.mark = record.mark;
  } else if (record.time == origin.position.time) {
    ++origin.position.lines;
  } else {
    origin.position = {record.time, 1};
  }
}

std::string encode_file_head(uint64_t first_number, const LogOrigins& origins) {
  std::string head = fmt::format("#{}\n", first_number);
  for (const auto& [uid, origin] : origins) {
    head += fmt::format("={} {} {} {}\n", uid, format_rfc3339_nano(origin.position.time),
                        origin.position.lines, word_or_none(origin.mark));
  }
  return head;
}

bool parse_head_line(std::string_view line, std::optional<uint64_t>& first_number, LogOrigins& origins) {
  if (line.starts_with('#')) {
    first_number = parse_uint(line.substr(1));
    return true;
  }
  if (!line.starts_with('=')) return false;
  line.remove_prefix(1);
  const std::string uid(take_word(line));
  const auto time = parse_rfc3339(take_word(line));
  const auto lines = parse_uint(take_word(line));
  if (!time || !lines) return true;
  origins[uid] = {{*time, *lines}, line == kNone ? "" : std::string(line)};
  return true;
}

bool wants(const LogFilter& filter, std::string_view line) {
  take_word(line);
  const auto source = split_once(line, "[");
  const std::string_view process = split_once(source.after, "]").before;
  if (!filter.source.empty() && source.before != filter.source) return false;
  return filter.dyno.empty() || process == filter.dyno ||
         (process.starts_with(filter.dyno) && process.substr(filter.dyno.size()).starts_with('.'));
}

}  // namespace skiff::platform
