// Gives memory back that a role needed to start and needs no more.
//
// A process that has begun holds the pages of code that only its start ran (libraries being linked, keys
// being parsed) and heap that it freed. Both go back to the machine here: code comes again from the page
// cache, a page at a time, when it is called.
#pragma once

#include "io/loop.h"
#include "io/task.h"

namespace skiff {

// Trims a while after the start, then each minute in which the process did little. For a role's scope.
io::Task<void> trim_memory(io::Loop& loop);

// Once, now. Takes about a millisecond.
void trim_memory_now();

}  // namespace skiff
