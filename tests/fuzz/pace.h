// How much processor time a parser takes for each byte of an input of a megabyte: the small inputs of a fuzz
// run show a wrong answer, not one that takes a square of the length.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "input.h"

namespace skiff::fuzz {

inline constexpr size_t kLongInput = 1 << 20;
// Of the thread's own time, in a build with all its checks; parsers of a loop need less than a tenth.
inline constexpr int64_t kMaxNanosPerByte = 1000;
inline constexpr int kTries = 3;          // the best counts: a cache may be cold
inline constexpr uint32_t kOneIn = 1024;  // inputs made long, by their hash: the same ones in each run

// The first half once, the second one again and again.
inline std::string make_long(std::string_view bytes) {
  const auto again = bytes.substr(bytes.size() / 2);
  std::string out(bytes.substr(0, bytes.size() / 2));
  while (!again.empty() && out.size() < kLongInput) out += again;
  return out;
}

inline int64_t thread_nanos() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Runs `parse(text)` on a long form of some inputs, and requires that it keeps the pace.
template <typename ParseText>
void require_pace(std::string_view bytes, ParseText parse) {
  uint32_t hash = 2166136261U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  if (bytes.size() < 2 || hash % kOneIn != 0) return;
  const std::string text = make_long(bytes);
  int64_t best = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kTries && best > kMaxNanosPerByte; ++i) {
    const int64_t begun = thread_nanos();
    parse(std::string_view(text));
    best = std::min(best, (thread_nanos() - begun) / static_cast<int64_t>(text.size()));
  }
  require(best <= kMaxNanosPerByte);
}

}  // namespace skiff::fuzz
