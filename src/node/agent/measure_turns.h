// Whose disk use is measured next. A walk takes as long as its pod has names of files, so those that are due
// go by what their last walk took, the shortest first, and one that takes long is due less often: pods with
// many names wait for each other, the others for one of them at most. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace skiff::node {

class MeasureTurns {
 public:
  // At least `pause` lies between two walks of a pod.
  explicit MeasureTurns(Duration pause) : pause_(pause) {}
  // Of `uids`, which are all that there are: others are forgotten. Nothing when none is due.
  std::optional<std::string> next(const std::vector<std::string>& uids, MonotonicTime now);
  void measured(const std::string& uid, MonotonicTime begin, MonotonicTime end);

 private:
  struct Past {
    Duration took{};
    MonotonicTime due{};
  };
  const Duration pause_;
  std::map<std::string, Past> past_;
};

}  // namespace skiff::node
