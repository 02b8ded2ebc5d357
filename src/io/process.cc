#include "io/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "io/file.h"
#include "io/reap.h"
#include "io/sync.h"

extern char** environ;

namespace skiff::io {

namespace {

// Waits for the pidfd to become readable.
class PidWatch final : public FdHandler {
 public:
  PidWatch(Loop& loop, UniqueFd fd) : loop_(loop), fd_(std::move(fd)), exited_(loop) {}
  ~PidWatch() override { loop_.unwatch(fd_.get()); }
  Result<void> open() { return loop_.watch(fd_.get(), *this); }
  void on_readable() override { exited_.set(); }
  void on_writable() override {}
  Event& exited() { return exited_; }
  int fd() const { return fd_.get(); }

 private:
  Loop& loop_;
  UniqueFd fd_;
  Event exited_;
};

class ChildProcess final : public Process {
 public:
  ChildProcess(pid_t pid, std::unique_ptr<PidWatch> watch) : pid_(pid), watch_(std::move(watch)) {}

  pid_t pid() const override { return pid_; }
  Task<Result<ExitStatus>> wait() override {
    for (;;) {
      watch_->exited().reset();
      int status = 0;
      const pid_t got = ::waitpid(pid_, &status, WNOHANG);
      if (got == pid_) co_return decode(status);
      if (got < 0 && errno != EINTR) co_return fail_errno(errno, "waitpid");
      co_await watch_->exited().wait();
    }
  }
  void kill(int signal) override { ::syscall(SYS_pidfd_send_signal, watch_->fd(), signal, nullptr, 0); }
  void kill_group(int signal) override { ::kill(-pid_, signal); }
  std::unique_ptr<Stream>& in_stream() override { return in_; }
  std::unique_ptr<Stream>& out_stream() override { return out_; }
  std::unique_ptr<Stream>& err_stream() override { return err_; }

 private:
  static ExitStatus decode(int status) {
    if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
    return {WEXITSTATUS(status), 0};
  }
  pid_t pid_;
  std::unique_ptr<PidWatch> watch_;
  std::unique_ptr<Stream> in_, out_, err_;
};

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  void connect(int source, int target) { posix_spawn_file_actions_adddup2(&actions, source, target); }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const auto& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// The child starts with no signal blocked and default handlers, whatever we do with ours.
void reset_signals(posix_spawnattr_t& attributes, bool new_session) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (new_session) flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setflags(&attributes, flags);
}

Result<void> adopt_pipe(Loop& loop, UniqueFd fd, std::string name, std::unique_ptr<Stream>& out) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  auto stream = make_fd_stream(loop, fd.release(), std::move(name));
  if (!stream) return std::unexpected(stream.error());
  out = std::move(*stream);
  return {};
}

// Connects one output; fills `pipe` when it is piped.
Result<void> plan_output(SpawnPlan& plan, ProcessOptions::Output kind, int fd, int target, int null_fd,
                         Pipe& pipe) {
  switch (kind) {
    case ProcessOptions::Output::kNull:
      plan.connect(null_fd, target);
      return {};
    case ProcessOptions::Output::kInherit:
      plan.connect(target, target);
      return {};
    case ProcessOptions::Output::kFd:
      plan.connect(fd, target);
      return {};
    case ProcessOptions::Output::kPipe: {
      auto made = make_pipe();
      if (!made) return std::unexpected(made.error());
      pipe = std::move(*made);
      plan.connect(pipe.write.get(), target);
      return {};
    }
  }
  return {};
}

Task<void> read_stream(Stream* stream, std::string* out, size_t limit) {
  std::array<char, 16384> buffer;
  for (;;) {
    auto got = co_await stream->read(buffer);
    if (!got || *got == 0) co_return;
    out->append(buffer.data(), std::min(*got, limit - std::min(limit, out->size())));
  }
}

Task<void> write_input(std::unique_ptr<Stream>* stream, const std::string* input) {
  auto written = co_await (*stream)->write(*input);
  stream->reset();
}

struct RunningCommand {
  explicit RunningCommand(Loop& l) : loop(l), drained(l), scope(l) {}
  ~RunningCommand() {
    if (process && !ended) {
      process->kill_group(SIGKILL);
      reap_later(loop, process->pid());  // nobody awaits it any more
    }
  }
  Loop& loop;
  std::string input;
  CommandOutput output;
  std::unique_ptr<Process> process;
  bool ended = false;
  Event drained;
  TaskScope scope;
};

Task<Result<CommandOutput>> run_to_end(Loop& loop, ProcessOptions options, std::string input, size_t limit) {
  RunningCommand command(loop);
  command.input = std::move(input);
  auto process = spawn_process(loop, options);
  if (!process) co_return std::unexpected(process.error());
  command.process = std::move(*process);
  if (options.pipe_stdin) command.scope.spawn(write_input(&command.process->in_stream(), &command.input));
  command.scope.spawn(read_stream(command.process->out_stream().get(), &command.output.out, limit));
  command.scope.spawn(read_stream(command.process->err_stream().get(), &command.output.err, limit));
  auto status = co_await command.process->wait();
  if (!status) co_return std::unexpected(status.error());
  command.ended = true;
  command.output.status = *status;
  command.scope.when_empty([&command] { command.drained.set(); });
  co_await command.drained.wait();
  co_return std::move(command.output);
}

}  // namespace

Result<std::unique_ptr<Process>> spawn_process(Loop& loop, const ProcessOptions& options) {
  SpawnPlan plan;
  UniqueFd null_fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_fd) return fail_errno(errno, "open /dev/null");
  Pipe in, out, err;
  if (options.pipe_stdin) {
    auto made = make_pipe();
    if (!made) return std::unexpected(made.error());
    in = std::move(*made);
  }
  plan.connect(options.pipe_stdin ? in.read.get() : null_fd.get(), STDIN_FILENO);
  SKIFF_RETURN_IF_ERROR(plan_output(plan, options.out, options.out_fd, STDOUT_FILENO, null_fd.get(), out));
  if (options.merge_err) {
    plan.connect(STDOUT_FILENO, STDERR_FILENO);
  } else {
    SKIFF_RETURN_IF_ERROR(plan_output(plan, options.err, options.err_fd, STDERR_FILENO, null_fd.get(), err));
  }
  if (!options.directory.empty())
    posix_spawn_file_actions_addchdir_np(&plan.actions, options.directory.c_str());
  // A descriptor that is put in its own place loses its close-on-exec flag.
  for (const int fd : options.keep_fds) plan.connect(fd, fd);
  reset_signals(plan.attributes, options.new_session);

  const auto argv = pointers(options.argv);
  const auto env = options.env ? pointers(*options.env) : std::vector<char*>{};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &plan.actions, &plan.attributes, argv.data(),
                                   options.env ? env.data() : environ);
  if (error != 0) return fail_errno(error, "start " + options.argv[0]);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return fail_errno(errno, "pidfd_open");
  auto watch = std::make_unique<PidWatch>(loop, std::move(pidfd));
  SKIFF_RETURN_IF_ERROR(watch->open());
  auto process = std::make_unique<ChildProcess>(pid, std::move(watch));
  const std::string& name = options.argv[0];
  if (in.write) SKIFF_RETURN_IF_ERROR(adopt_pipe(loop, std::move(in.write), name, process->in_stream()));
  if (out.read) SKIFF_RETURN_IF_ERROR(adopt_pipe(loop, std::move(out.read), name, process->out_stream()));
  if (err.read) SKIFF_RETURN_IF_ERROR(adopt_pipe(loop, std::move(err.read), name, process->err_stream()));
  return process;
}

Task<Result<CommandOutput>> run_command(Loop& loop, std::vector<std::string> argv, CommandOptions options) {
  ProcessOptions process;
  process.argv = std::move(argv);
  process.env = options.env;
  process.directory = options.directory;
  process.pipe_stdin = !options.input.empty();
  process.out = ProcessOptions::Output::kPipe;
  process.err = ProcessOptions::Output::kPipe;
  process.new_session = true;
  const std::string name = process.argv[0];
  auto task = run_to_end(loop, std::move(process), std::move(options.input), options.max_output);
  auto result = co_await with_timeout(loop, options.timeout, std::move(task));
  if (!result) co_return wrap(result.error(), name);
  co_return result;
}

}  // namespace skiff::io
