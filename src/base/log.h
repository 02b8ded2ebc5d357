// Structured logs: one line an event, key=value pairs, to standard error.
//
//   log_info("pod started", {{"pod", name}, {"took_ms", fmt::to_string(ms)}});
//
// Never pass a secret. Safe from any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace skiff {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

// Lines below this level are dropped; kInfo at start.
void set_log_level(LogLevel level);
// Marks every line of this process, for example "control".
void set_log_role(std::string role);

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kDebug, event, fields);
}
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kInfo, event, fields);
}
inline void log_warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kWarn, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kError, event, fields);
}

}  // namespace skiff
