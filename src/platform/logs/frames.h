// Log lines as they travel: octet-counted syslog frames without structured data (RFC 6587, RFC 5424), as
// Heroku's application/logplex-1 has them. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"

namespace skiff::platform {

// Its texts point into the body.
struct FramedLine {
  std::string_view app;  // the frame's hostname
  WallTime time;
  std::string_view text;
};
// Whole frames up to the first that is malformed.
std::vector<FramedLine> parse_frames(std::string_view body);

}  // namespace skiff::platform
