// Status bodies as errors, and the lines of a watch. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kube/client/client.h"

namespace skiff::kube {

// The error a Status object stands for; it carries the object as StatusDetails.
Error error_from_status(int http_code, json::Value status);
// The error of an HTTP answer whose body may be a Status.
Error error_from_answer(int http_code, std::string_view body);

// One line of a watch: what changed and the revision to resume from.
struct WatchLine {
  std::optional<ObjectChange> change;  // nothing for a bookmark
  std::string revision;
};
// Expired when the server says that the revision is too old.
Result<WatchLine> parse_watch_line(std::string_view line);

}  // namespace skiff::kube
