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
// Unavailable with the last lines when it fails. `words` is called on the loop and may be empty. The program
// itself ends with this process, however that ends; the ones that it started end with it when it is
// `in_namespaces`.
io::Task<Result<void>> run_stack_step(io::Loop& loop, std::vector<std::string> argv, StackWords words,
                                      Duration limit);

// The same program in namespaces of its own for mounts and processes: with it they all go, also when it is
// killed. `unshare` is the program of that name; as root.
std::vector<std::string> in_namespaces(const std::string& unshare, std::vector<std::string> argv);

}  // namespace skiff::node
