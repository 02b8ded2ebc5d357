// Children that were killed and that nobody awaits any more: without a thread that waits, for one that sleeps
// in the kernel ends when it will.
#pragma once

#include <sys/types.h>

#include "io/loop.h"

namespace skiff::io {

// Reaps the child once it has ended. On the loop's thread.
void reap_later(Loop& loop, pid_t pid);

}  // namespace skiff::io
