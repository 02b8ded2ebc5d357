// The commands that ConmonRuntime runs, and the files they need. Blocking.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "node/runtime/conmon_runtime.h"

namespace skiff::node {

constexpr size_t kMaxRuntimeOutput = 16 << 10;  // bytes kept of what a command prints; probes show 10 KB

// Kills and reaps a child, with its descendants when asked to, unless released.
class ChildGuard {
 public:
  enum class Kill { kAlone, kTree };
  ChildGuard(pid_t pid, Kill kill) : pid_(pid), kill_(kill) {}
  ~ChildGuard();
  ChildGuard(ChildGuard&& other) noexcept : loop_(other.loop_), pid_(other.release()), kill_(other.kill_) {}
  // From now on a thread of that loop's pool kills, and the loop reaps: a child that sleeps in the kernel
  // ends when it will.
  void reap_in(io::Loop& loop) { loop_ = &loop; }
  pid_t pid() const { return pid_; }
  // The child is the caller's to reap.
  pid_t release() { return std::exchange(pid_, 0); }

 private:
  io::Loop* loop_ = nullptr;
  pid_t pid_;
  Kill kill_;
};

// Writes the bundle and starts conmon, which starts the runtime; `sync_fd` is the writing end of its answer
// pipe.
Result<pid_t> launch_conmon(const ConmonOptions& options, const ContainerSpec& spec,
                            const std::string& record, int sync_fd);
// "<runtime> <arguments>", both outputs to `output_fd`. When the guard is dropped, all that the command
// started is killed: the program of an exec, too.
Result<ChildGuard> launch_runtime(const ConmonOptions& options, const std::vector<std::string>& arguments,
                                  int output_fd);

// True when conmon's answer is complete: a whole line that is a JSON object.
bool has_create_answer(std::string_view text);
// The container's pid, or why it could not be set up; kInvalidArgument when its program is at fault.
Result<pid_t> parse_create_answer(const std::string& answer);

// The container's own process description with other arguments.
Result<void> write_exec_spec(const std::string& config_file, const std::string& spec_file,
                             const std::vector<std::string>& argv);

// Removes root, upper and work folders of an ended container.
Result<void> remove_writable_layer(const std::string& bundle);

}  // namespace skiff::node
