#include "node/pod/stop_delay.h"

#include <algorithm>
#include <charconv>

namespace skiff::node {

namespace {
constexpr double kMaxSeconds = 3600;
}

std::optional<Duration> annotated_stop_delay(const json::Value& pod) {
  const json::Value& note = pod["metadata"]["annotations"][kStopDelayAnnotation];
  if (!note.is_string()) return std::nullopt;
  const std::string& text = note.str();
  double seconds = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(seconds >= 0 && seconds <= kMaxSeconds)) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Duration plan_stop_delay(const json::Value& pod, bool routed, Duration grace) {
  const Duration wanted = annotated_stop_delay(pod).value_or(routed ? kStopDelay : Duration{});
  return std::min(wanted, std::max(grace, Duration{}) / 2);
}

Duration own_stop_delay(const json::Value& container) {
  return std::chrono::seconds(container["lifecycle"]["preStop"]["sleep"]["seconds"].as_int());
}

}  // namespace skiff::node
