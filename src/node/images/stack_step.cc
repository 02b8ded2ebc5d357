#include "node/images/stack_step.h"

#include <signal.h>

#include <array>

#include "base/strings.h"
#include "io/process.h"
#include "io/sync.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxErrorLines = 15;

struct Lines {
  StackWords words;
  std::vector<std::string> last;
  std::string rest;
  void add(std::string_view bytes) {
    rest += bytes;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      const std::string line(trim(std::string_view(rest).substr(0, end)));
      rest.erase(0, end + 1);
      if (line.empty()) continue;
      if (words) words(line);
      if (last.size() == kMaxErrorLines) last.erase(last.begin());
      last.push_back(line);
    }
  }
};

}  // namespace

std::vector<std::string> in_namespaces(const std::string& unshare, std::vector<std::string> argv) {
  argv.insert(argv.begin(), {unshare, "--mount", "--pid", "--fork", "--kill-child"});
  return argv;
}

io::Task<Result<void>> run_stack_step(io::Loop& loop, std::vector<std::string> argv, StackWords words,
                                      Duration limit) {
  io::ProcessOptions options;
  // Ours to end: when we are killed, nobody else would.
  options.argv = {"setpriv", "--pdeathsig", "KILL"};
  options.argv.insert(options.argv.end(), argv.begin(), argv.end());
  options.out = io::ProcessOptions::Output::kPipe;
  options.merge_err = true;
  options.new_session = true;
  auto process = io::spawn_process(loop, options);
  if (!process) co_return std::unexpected(process.error());
  struct Guard {
    io::Process* process;
    ~Guard() {
      if (process != nullptr) process->kill_group(SIGKILL);
    }
  } guard{process->get()};
  Lines lines{std::move(words), {}, {}};
  std::array<char, 4096> buffer;
  const MonotonicTime deadline = loop.now() + limit;
  for (;;) {
    auto task = (*process)->out_stream()->read(buffer);
    auto got = co_await io::with_timeout(loop, deadline - loop.now(), std::move(task));
    if (!got) co_return wrap(got.error(), argv[0]);
    if (*got == 0) break;
    lines.add({buffer.data(), *got});
  }
  auto status = co_await (*process)->wait();
  guard.process = nullptr;
  if (!status) co_return std::unexpected(status.error());
  if (!status->ok()) co_return fail(Code::kUnavailable, argv[0] + " failed: " + join(lines.last, "\n"));
  co_return Result<void>();
}

}  // namespace skiff::node
