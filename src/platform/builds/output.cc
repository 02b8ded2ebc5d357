#include "platform/builds/output.h"

#include <fmt/core.h>

namespace skiff::platform {

namespace {
constexpr std::string_view kFullDisk = "No space left on device";  // strerror(ENOSPC)
}

void BuildOutput::write(std::string_view text) {
  if (!full_disk_) {
    tail_ += text;
    full_disk_ = tail_.find(kFullDisk) != std::string::npos;
    if (tail_.size() >= kFullDisk.size()) tail_.erase(0, tail_.size() - kFullDisk.size() + 1);
  }
  if (left_ <= 0) return;
  const auto shown = text.substr(0, static_cast<size_t>(left_));
  left_ -= static_cast<int64_t>(shown.size());
  sink_(shown);
  if (left_ > 0) return;
  sink_(fmt::format("\n !     The build wrote more than {} KB; what follows is not shown.\n", limit_kb_));
}

}  // namespace skiff::platform
