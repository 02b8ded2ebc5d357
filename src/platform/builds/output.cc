#include "platform/builds/output.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "base/utf8.h"
#include "io/sync.h"

namespace skiff::platform {

namespace {

constexpr std::string_view kFullDisk = "No space left on device";  // strerror(ENOSPC)
constexpr Duration kLongSilence = std::chrono::seconds(30);
constexpr size_t kMostPhaseBytes = 200;  // of a line that names a phase
// How buildpacks begin the lines that name what comes now.
constexpr std::string_view kPhaseMarks[] = {"-----> ", "       Running: ", "       Running "};

// The phase that a line names, without the dots behind it; "" when it names none.
std::string phase_of(std::string_view line) {
  for (const auto mark : kPhaseMarks) {
    if (!line.starts_with(mark)) continue;
    line = trim(line.substr(mark.size()));
    while (line.ends_with('.')) line.remove_suffix(1);
    return std::string(line);
  }
  return "";
}

}  // namespace

BuildOutput::BuildOutput(io::Loop& loop, Sink sink, int64_t limit_kb)
    : loop_(loop),
      sink_(std::move(sink)),
      left_(limit_kb << 10),
      limit_kb_(limit_kb),
      phase_begin_(loop.now()),
      last_write_(loop.now()) {}

void BuildOutput::look_for_full_disk(std::string_view text) {
  if (full_disk_) return;
  tail_ += text;
  full_disk_ = tail_.find(kFullDisk) != std::string::npos;
  if (tail_.size() >= kFullDisk.size()) tail_.erase(0, tail_.size() - kFullDisk.size() + 1);
}

void BuildOutput::look_for_phase(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    line_ += utf8_prefix(text.substr(0, end), kMostPhaseBytes - line_.size());
    in_line_ = end == std::string_view::npos;
    if (in_line_) return;
    text.remove_prefix(end + 1);
    if (std::string phase = phase_of(line_); !phase.empty()) begin_phase(std::move(phase));
    line_.clear();
  }
}

void BuildOutput::begin_phase(std::string name) {
  phase_ = std::move(name);
  phase_begin_ = loop_.now();
}

void BuildOutput::show(std::string_view text) {
  if (left_ <= 0 || text.empty()) return;
  const auto shown = utf8_prefix(text, static_cast<size_t>(left_));
  left_ -= static_cast<int64_t>(shown.size());
  sink_(shown);
  if (shown.size() == text.size() && left_ > 0) return;
  left_ = 0;
  sink_(fmt::format(
      "\n !     The build wrote more than {} KB (\"outputKb\" in build-limits.json); what follows "
      "is not shown.\n",
      limit_kb_));
}

void BuildOutput::write(std::string_view text) {
  last_write_ = loop_.now();
  const std::string plain = filter_.take(text);
  look_for_full_disk(plain);
  look_for_phase(plain);
  show(plain);
}

void BuildOutput::tell(std::string_view text) {
  last_write_ = loop_.now();
  if (in_line_) sink_("\n");
  line_.clear();
  const std::string plain = plain_text(text);
  look_for_phase(plain);
  sink_(plain);
}

io::Task<void> BuildOutput::break_silence(BuildOutput* self) {
  for (;;) {
    const MonotonicTime heard = self->last_write_;
    co_await io::sleep(self->loop_, heard + kLongSilence - self->loop_.now());
    if (self->last_write_ != heard) continue;
    const auto seconds = (self->loop_.now() - self->phase_begin_) / std::chrono::seconds(1);
    self->tell(fmt::format("       still: {}, {} s\n", self->phase_, seconds));
  }
}

}  // namespace skiff::platform
