// A doctest check that what reads a shape of input keeps its cost per byte.
#pragma once

#include <doctest/doctest.h>

#include "testing/cost.h"

namespace skiff::testing {

template <typename Work>
void check_growth(const Shape& shape, const Work& work, size_t small = kSmallInput,
                  size_t large = kLargeInput) {
  constexpr size_t kShownHead = 60;
  CAPTURE(shape.head.substr(0, kShownHead));
  CAPTURE(shape.unit);
  CHECK(growth(shape, small, large, work) < kMostGrowth);
}

}  // namespace skiff::testing
