// Child processes, awaited through a pidfd: no SIGCHLD handler, no polling.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/stream.h"

namespace skiff::io {

struct ExitStatus {
  int code = 0;    // exit code; 128 + signal when killed by one
  int signal = 0;  // 0 when it exited by itself
  bool ok() const { return code == 0; }
};

struct ProcessOptions {
  enum class Output { kNull, kInherit, kPipe, kFd };
  std::vector<std::string> argv;                // argv[0] is looked up in PATH
  std::optional<std::vector<std::string>> env;  // "KEY=value"; nothing: ours
  std::string directory;                        // "" keeps ours
  bool pipe_stdin = false;                      // else /dev/null
  Output out = Output::kNull;
  Output err = Output::kNull;  // kPipe together with out=kPipe gives its own pipe
  int out_fd = -1;             // for kFd; stays the caller's
  int err_fd = -1;
  std::vector<int> keep_fds;  // open in the child too, at the same numbers
  bool merge_err = false;     // standard error goes where standard output goes
  bool new_session = false;   // setsid(): outlives our terminal, own process group
};

class Process {
 public:
  virtual ~Process() = default;  // does not kill the child
  virtual pid_t pid() const = 0;
  // May be awaited once, by one task.
  virtual Task<Result<ExitStatus>> wait() = 0;
  virtual void kill(int signal) = 0;
  // To the whole group; for children made with new_session.
  virtual void kill_group(int signal) = 0;
  // Null unless piped. Reset in_stream() to end the child's input.
  virtual std::unique_ptr<Stream>& in_stream() = 0;
  virtual std::unique_ptr<Stream>& out_stream() = 0;
  virtual std::unique_ptr<Stream>& err_stream() = 0;
};

Result<std::unique_ptr<Process>> spawn_process(Loop& loop, const ProcessOptions& options);

struct CommandOutput {
  ExitStatus status;
  std::string out;
  std::string err;
};
struct CommandOptions {
  std::string input;
  std::string directory;
  std::optional<std::vector<std::string>> env;
  Duration timeout = std::chrono::minutes(1);
  size_t max_output = 4 << 20;  // bytes kept of each stream; the rest is read and dropped
};
// Runs to the end, killed with its process group at the timeout. A non-zero exit is not an error here.
Task<Result<CommandOutput>> run_command(Loop& loop, std::vector<std::string> argv,
                                        CommandOptions options = {});

}  // namespace skiff::io
