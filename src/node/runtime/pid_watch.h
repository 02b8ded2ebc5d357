// Tells when a process ends, a child of ours or not, through a pidfd: no polling.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>

#include "io/file.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/task.h"

namespace skiff::node {

class PidWatch final : public io::FdHandler {
 public:
  // Calls `ended` once, in a later step of the loop. NotFound when there is no such process.
  static Result<std::unique_ptr<PidWatch>> create(io::Loop& loop, pid_t pid, std::function<void()> ended);
  ~PidWatch() override;
  void on_readable() override;
  void on_writable() override {}
  int fd() const { return fd_.get(); }

 private:
  PidWatch(io::Loop& loop, io::UniqueFd fd, std::function<void()> ended);
  io::Loop& loop_;
  io::UniqueFd fd_;
  std::function<void()> ended_;
};

// Waits for a child of ours and reaps it. When the task is dropped, or on an error, the child is the
// caller's.
io::Task<Result<io::ExitStatus>> wait_child(io::Loop& loop, pid_t pid);

// Kills all that descend from a process, also those in other sessions and namespaces; it itself goes on and
// may reap them. False when there were none: then it is left stopped, so that there will be none. Not found
// are children whose parent, itself a descendant, has ended before.
bool kill_descendants(pid_t root);
// Waits for the end of a process, which stays to be reaped. Blocking.
bool ends_within(pid_t pid, std::chrono::milliseconds limit);

// The start time of a process in clock ticks since boot, which with the pid names it for good; 0 when it is
// gone.
uint64_t process_start_time(pid_t pid);
// The arguments of a process, joined by spaces; "" when it is gone.
std::string process_command(pid_t pid);

}  // namespace skiff::node
