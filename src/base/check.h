// Assertions about our own code; outside input never reaches one.
#pragma once

namespace skiff {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

// Always on: aborts with the place when the condition is false.
#define SKIFF_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::skiff::check_failed(#condition, __FILE__, __LINE__))
