// What a pusher gets to see of a build: plain text, as much as the limit allows, then one line that says so.
// Also notices the words by which programs tell of a full disk, and which phase the build says it is in.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "io/loop.h"
#include "io/task.h"
#include "platform/builds/plain_text.h"

namespace skiff::platform {

class BuildOutput {
 public:
  using Sink = std::function<void(std::string_view)>;
  BuildOutput(io::Loop& loop, Sink sink, int64_t limit_kb);
  // Of the build.
  void write(std::string_view text);
  // Of the platform itself, whole lines: shown beyond the limit too, on a line of their own.
  void tell(std::string_view text);
  // What goes on from now, for who waits; the build's own lines name the next one.
  void begin_phase(std::string name);
  bool told_of_full_disk() const { return full_disk_; }
  // Tells the pusher again and again what takes so long when nothing else is written. For ever: for a scope
  // that ends before the output does.
  static io::Task<void> break_silence(BuildOutput* self);

 private:
  void look_for_full_disk(std::string_view text);
  void look_for_phase(std::string_view text);
  void show(std::string_view text);
  io::Loop& loop_;
  Sink sink_;
  PlainText filter_;
  int64_t left_;
  int64_t limit_kb_;
  std::string tail_;  // of the text before: words may come in two pieces
  bool full_disk_ = false;
  std::string line_;      // the one that is being written, its beginning
  bool in_line_ = false;  // the pusher sees the beginning of one
  std::string phase_ = "waiting for the build to start";
  MonotonicTime phase_begin_, last_write_;
};

}  // namespace skiff::platform
