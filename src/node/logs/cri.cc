#include "node/logs/cri.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::node {

namespace {

constexpr int64_t kLongestSince =
    100LL * 365 * 24 * 3600;  // seconds: older than any log, and a Duration holds it

Result<int64_t> whole_number(const std::string& key, const std::string& value, int64_t least) {
  const auto number = parse_int(value);
  if (!number || *number < least)
    return fail(Code::kInvalidArgument, "invalid value for " + key + ": " + value);
  return *number;
}

bool is_true(const std::string& value) {
  return value == "true" || value == "1" || value.empty();
}

Result<void> apply(LogQuery& out, const std::string& key, const std::string& value, WallTime now) {
  if (key == "follow") out.follow = is_true(value);
  if (key == "previous") out.previous = is_true(value);
  if (key == "timestamps") out.timestamps = is_true(value);
  if (key == "tailLines" || key == "limitBytes" || key == "sinceSeconds") {
    auto number = whole_number(key, value, key == "tailLines" ? 0 : 1);
    if (!number) return std::unexpected(number.error());
    if (key == "tailLines") out.tail_lines = *number;
    if (key == "limitBytes") out.limit_bytes = *number;
    if (key == "sinceSeconds") out.since = now - std::chrono::seconds(std::min(*number, kLongestSince));
  }
  if (key == "sinceTime") {
    auto time = parse_rfc3339(value);
    if (!time) return wrap(time.error(), "invalid value for sinceTime");
    out.since = *time;
  }
  return {};
}

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  const auto time = split_once(line, " ");
  const auto stream = split_once(time.after, " ");
  const auto tag = split_once(stream.after, " ");
  if (!time.found || !stream.found) return std::nullopt;
  if (tag.before != "F" && tag.before != "P") return std::nullopt;
  return LogLine{time.before, tag.after, tag.before == "F"};
}

Result<LogQuery> parse_log_query(std::string_view query, WallTime now) {
  LogQuery out;
  for (const auto& pair : split(query, '&')) {
    const auto halves = split_once(pair, "=");
    const auto value = url_decode(halves.after, Plus::kIsSpace);
    if (!value) return fail(Code::kInvalidArgument, "malformed query: " + pair);
    SKIFF_RETURN_IF_ERROR(apply(out, std::string(halves.before), *value, now));
  }
  return out;
}

bool LogFormatter::add(std::string_view line, std::string& out) {
  const auto parsed = parse_log_line(line);
  if (!parsed) return true;
  if (query_.since) {
    const auto time = parse_rfc3339(parsed->time);
    if (!time || *time < *query_.since) return true;
  }
  std::string text;
  if (query_.timestamps && !in_line_) text = std::string(parsed->time) + " ";
  text += parsed->text;
  if (parsed->whole) text += '\n';
  in_line_ = !parsed->whole;
  if (left_ < 0) {
    out += text;
    return true;
  }
  const auto size = std::min<int64_t>(left_, static_cast<int64_t>(text.size()));
  out.append(text, 0, static_cast<size_t>(size));
  left_ -= size;
  return left_ > 0;
}

}  // namespace skiff::node
