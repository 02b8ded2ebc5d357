// `skiff up` and `skiff down`.
#pragma once

#include "base/result.h"
#include "skiff/instance.h"

namespace skiff {

enum class Foreground { kYes, kNo };

struct UpOptions {
  InstanceRequest request;
  Foreground foreground = Foreground::kYes;
};

// Starts every role and prints one `ready` line when all answer. In the foreground it returns when told to
// stop; detached it returns when the instance is ready.
Result<void> up(const UpOptions& options);
// Stops the roles of an instance that runs or is starting, and those that a killed one left; pods go on until
// the machine stops, and `up` finds them again.
Result<void> down(const std::string& data);

}  // namespace skiff
