#include "node/runtime/pid_watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/strings.h"
#include "io/sync.h"

namespace skiff::node {

PidWatch::PidWatch(io::Loop& loop, io::UniqueFd fd, std::function<void()> ended)
    : loop_(loop), fd_(std::move(fd)), ended_(std::move(ended)) {}

PidWatch::~PidWatch() {
  loop_.unwatch(fd_.get());
}

Result<std::unique_ptr<PidWatch>> PidWatch::create(io::Loop& loop, pid_t pid, std::function<void()> ended) {
  io::UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd)
    return fail(errno == ESRCH ? Code::kNotFound : Code::kInternal, "watch process " + std::to_string(pid));
  std::unique_ptr<PidWatch> watch(new PidWatch(loop, std::move(fd), std::move(ended)));
  SKIFF_RETURN_IF_ERROR(loop.watch(watch->fd(), *watch));
  return watch;
}

void PidWatch::on_readable() {
  if (!ended_) return;
  // Moved out first: the callback may destroy this watch.
  auto ended = std::move(ended_);
  ended_ = nullptr;
  loop_.post([ended = std::move(ended)] { ended(); });
}

io::Task<Result<io::ExitStatus>> wait_child(io::Loop& loop, pid_t pid) {
  io::Event ended(loop);
  auto watch = PidWatch::create(loop, pid, [&ended] { ended.set(); });
  if (!watch) co_return std::unexpected(watch.error());
  co_await ended.wait();
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) co_return fail_errno(errno, "waitpid");
  if (WIFSIGNALED(status)) co_return io::ExitStatus{128 + WTERMSIG(status), WTERMSIG(status)};
  co_return io::ExitStatus{WEXITSTATUS(status), 0};
}

namespace {
constexpr size_t kMaxTree = 4096;  // processes; whoever kills waits for this walk

void add_children(pid_t pid, std::vector<pid_t>& out) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task/";
  for (const auto& task : io::list_directory(tasks).value_or(std::vector<std::string>{})) {
    const std::string text = io::read_file(tasks + task + "/children").value_or("");
    for (const auto& word : split(text, ' ')) {
      if (const auto child = parse_int(word)) out.push_back(static_cast<pid_t>(*child));
    }
  }
}
}  // namespace

bool kill_descendants(pid_t root) {
  std::vector<pid_t> found = {root};
  for (size_t i = 0; i < found.size() && found.size() < kMaxTree; ++i) {
    ::kill(found[i], SIGSTOP);  // it has no more children than are found now
    add_children(found[i], found);
  }
  if (found.size() == 1) return false;
  for (size_t i = 1; i < found.size(); ++i) ::kill(found[i], SIGKILL);
  ::kill(root, SIGCONT);
  return true;
}

bool ends_within(pid_t pid, std::chrono::milliseconds limit) {
  const io::UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{fd.get(), POLLIN, 0};
  return fd && ::poll(&ended, 1, static_cast<int>(limit.count())) == 1;
}

uint64_t process_start_time(pid_t pid) {
  auto text = io::read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return 0;
  const size_t after_name = text->rfind(')');
  if (after_name == std::string::npos) return 0;
  const auto fields = split(std::string_view(*text).substr(after_name + 2), ' ');
  constexpr size_t kStartTime = 19;  // field 22 of proc(5), counted from the state
  if (fields.size() <= kStartTime || fields[0] == "Z") return 0;
  return parse_uint(fields[kStartTime]).value_or(0);
}

std::string process_command(pid_t pid) {
  auto text = io::read_file("/proc/" + std::to_string(pid) + "/cmdline");
  if (!text) return "";
  for (char& c : *text) {
    if (c == '\0') c = ' ';
  }
  return std::move(*text);
}

}  // namespace skiff::node
