// What a program can be given at its start: execve(2) refuses strings and sums that are too long, and what it
// refuses need not be made, copied and written first. One budget for a container's environment and arguments.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace skiff::node {

// One string without its final zero: MAX_ARG_STRLEN of Linux.
inline constexpr size_t kMaxExecString = (size_t{128} << 10) - 1;
// All strings with their final zeros and pointers: a quarter of the usual stack of 8 MiB.
inline constexpr size_t kMaxExecTotal = size_t{2} << 20;

class ExecBudget {
 public:
  // Takes room for a string of `bytes`. InvalidArgument names what was too long: `kind` ("argument") and
  // `name`; the text is that of CreateContainerConfigError.
  Result<void> take(std::string_view kind, std::string_view name, size_t bytes);

 private:
  size_t taken_ = 0;
};

}  // namespace skiff::node
