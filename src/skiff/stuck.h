// What is known of a thread that stands still, for the log of its role.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace skiff {

enum class ThreadState {
  kRunnable,  // also asleep: it spins, or waits for another thread
  kStopped,   // by SIGSTOP: it goes on with SIGCONT
  kTraced,    // a debugger holds the process
  kInKernel,  // waits for a disk or alike: it can't be killed either
};

ThreadState thread_state(pid_t process, int32_t thread);

// One line a frame, "#3 skiff::edge::Worker::run() +0x1f"; where no name is known "libc.so.6+0x2a". Names
// come from the symbol table of `binary`, which the process runs.
std::vector<std::string> describe_stack(pid_t process, std::span<const uintptr_t> frames,
                                        const std::string& binary);

}  // namespace skiff
