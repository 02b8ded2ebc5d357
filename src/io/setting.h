// Settings of the kernel: the files below /proc/sys, /sys and of control groups. They are no files: nothing
// is created, replaced or synced. Blocking, but short.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::io {

// Fine where the setting has the value already, even if it can't be written.
Result<void> write_setting(const std::string& path, const std::string& value);

}  // namespace skiff::io
