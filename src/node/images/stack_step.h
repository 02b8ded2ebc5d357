// A program that makes a part of the stack: its words line by line, its end, its last words when it fails.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

using StackWords = std::function<void(const std::string& line)>;

// Runs to the end, or to `limit`; with its whole process group it is killed when the task is dropped.
// Unavailable with the last lines when it fails. `words` is called on the loop and may be empty.
io::Task<Result<void>> run_stack_step(io::Loop& loop, std::vector<std::string> argv, StackWords words,
                                      Duration limit);

}  // namespace skiff::node
