// Patterns that come from outside, as schemas have them. RE2 matches them: the syntax is that of Go's regexp,
// which is what upstream reads, time grows with the text and never explodes, memory is bounded. Inside
// kube/schema only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::kube {

class Pattern {
 public:
  // Made once for each text: the last ones are kept. An error is in the words of Go's regexp.
  static Result<std::shared_ptr<const Pattern>> compile(const std::string& text);
  virtual ~Pattern() = default;
  // True when it matches anywhere in `text`.
  virtual bool is_in(std::string_view text) const = 0;
  // The most steps that a search may take.
  virtual size_t steps_for(std::string_view text) const = 0;
};

}  // namespace skiff::kube
