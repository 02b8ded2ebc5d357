// What a pusher gets to see of a build: as much as the limit allows, then one line that says so. Also notices
// the words by which programs tell of a full disk. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace skiff::platform {

class BuildOutput {
 public:
  using Sink = std::function<void(std::string_view)>;
  BuildOutput(Sink sink, int64_t limit_kb)
      : sink_(std::move(sink)), left_(limit_kb << 10), limit_kb_(limit_kb) {}
  void write(std::string_view text);
  bool told_of_full_disk() const { return full_disk_; }

 private:
  Sink sink_;
  int64_t left_;
  int64_t limit_kb_;
  std::string tail_;  // of the text before: words may come in two pieces
  bool full_disk_ = false;
};

}  // namespace skiff::platform
