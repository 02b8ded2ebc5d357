#include "platform/http/event_stream.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::platform {

std::string event_stream_head(uint64_t id) {
  return "retry: 1\n" + encode_position(id);
}

std::string encode_event(uint64_t id, std::string_view lines) {
  std::string out = fmt::format("id: {}\n", id);
  for (const auto& line : split(trim(lines), '\n')) out += "data: " + line + "\n";
  return out + "\n";
}

std::string encode_position(uint64_t id) {
  return fmt::format("id: {}\n\n", id);
}

}  // namespace skiff::platform
