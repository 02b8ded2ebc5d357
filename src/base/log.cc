#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>

#include "base/time.h"

namespace skiff {

namespace {

std::atomic<LogLevel> current_level{LogLevel::kInfo};
// Written once at start of the process, before other threads exist.
std::string& role_text() {
  static std::string role = "skiff";
  return role;
}

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=\\\n\r\t") != std::string_view::npos;
}

void append_value(std::string_view text, std::string& line) {
  if (!needs_quotes(text)) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  line += '"';
}

}  // namespace

void set_log_level(LogLevel level) {
  current_level = level;
}
void set_log_role(std::string role) {
  role_text() = std::move(role);
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < current_level.load(std::memory_order_relaxed)) return;
  std::string line = format_rfc3339_micro(std::chrono::system_clock::now());
  line += ' ';
  line += level_name(level);
  line += ' ';
  line += role_text();
  line += ": ";
  line += event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(field.value, line);
  }
  line += '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace skiff
