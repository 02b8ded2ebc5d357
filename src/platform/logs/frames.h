// Log lines as they travel: octet-counted syslog frames without structured data (RFC 6587, RFC 5424), as
// Heroku's application/logplex-1 has them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skiff::platform {

struct FramedLine {
  std::string app;  // the frame's hostname
  std::string text;
};
// Whole frames up to the first that is malformed.
std::vector<FramedLine> parse_frames(std::string_view body);

}  // namespace skiff::platform
