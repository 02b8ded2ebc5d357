// How the cost of reading grows with the input: what costs more per byte when there is more of it can be
// made to hold a loop for minutes. Measured in CPU time of this thread, and as a ratio, so that a busy or a
// slow machine does not matter.
#pragma once

#include <ctime>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace skiff::testing {

// Input of one shape: `unit` again and again between `head` and `tail`. A "#" in the unit becomes a number of
// its own each time.
struct Shape {
  std::string head, unit, tail;

  std::string make(size_t size) const {
    std::string out(head);
    for (size_t number = 0; out.size() < size; ++number) {
      for (const char c : unit) {
        if (c == '#') {
          out += std::to_string(number);
        } else {
          out += c;
        }
      }
      if (unit.empty()) break;
    }
    return out += tail;
  }
};

inline std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

template <typename Work>
std::chrono::nanoseconds cost_of(const std::string& input, const Work& work, int times) {
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < times; ++i) {
    const auto start = thread_cpu_time();
    work(input);
    best = std::min(best, thread_cpu_time() - start);
  }
  return best;
}

// 1 MB against 30 KB: 33 when quadratic. Memory that no longer fits a cache costs a few times more.
constexpr size_t kSmallInput = 30'000, kLargeInput = 1'000'000, kLargestInput = 3'000'000;
constexpr double kMostGrowth = 10;

// A sanitizer's own bookkeeping costs more per byte the more there is: in the unit tests under one the large
// input is read, no more. Fuzzers allow for it.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kMeasured = true;
#else
constexpr bool kMeasured = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#endif

// How many times more a byte of an input of `large` bytes costs than one of an input of `small`: about 1 when
// the cost is linear, large/small when it is quadratic. What is quick however long it is counts as 1. A
// machine that stands still for a moment makes one measurement high, not three.
template <typename Work>
double growth(const Shape& shape, size_t small, size_t large, const Work& work) {
  constexpr auto kQuick = std::chrono::milliseconds(40);
  constexpr int kMeasurements = 3;
  const std::string few = shape.make(small), many = shape.make(large);
  if (!kMeasured) {
    work(many);
    return 1;
  }
  double least = static_cast<double>(large);
  for (int i = 0; i < kMeasurements && least >= kMostGrowth; ++i) {
    const auto high = cost_of(many, work, 1);
    if (high <= kQuick) return 1;
    const auto low = std::max(cost_of(few, work, 5), std::chrono::nanoseconds(100));
    const double per_byte_many = static_cast<double>(high.count()) / static_cast<double>(many.size());
    const double per_byte_few = static_cast<double>(low.count()) / static_cast<double>(few.size());
    least = std::min(least, per_byte_many / per_byte_few);
  }
  return least;
}

}  // namespace skiff::testing
