#include "skiff/running.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/log_file.h"
#include "io/sync.h"
#include "node/images/stack.h"
#include "skiff/memory.h"
#include "skiff/role_support.h"
#include "skiff/stack_commands.h"
#include "skiff/supervisor.h"

namespace skiff {

namespace {

constexpr Duration kPollPause = std::chrono::milliseconds(50);
constexpr Duration kTellWaitEvery = std::chrono::seconds(10);  // a start takes one or two
constexpr size_t kMaxLastWords = 4096;                         // of a role's log, looked through for a line
constexpr const char* kRoles[] = {"control", "node", "platform", "edge"};
// Of the supervisor's own log; as much of it is kept once more.
constexpr off_t kMaxLogBytes = 4 << 20;
constexpr Duration kLogLook = std::chrono::seconds(10);

std::string own_binary() {
  char path[4096] = {};
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path - 1);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "skiff";
}

io::Task<Result<void>> make_stack(io::Loop& loop, const Instance& instance) {
  const node::StackOptions options = stack_options(instance);
  auto left = co_await io::run_blocking(
      loop, [update = update_options(instance).stack] { return node::remove_update_leftovers(update); });
  if (!left) log_warn("what an update of the stack left stays", {{"error", left.error().message}});
  co_await node::remove_stack_leftovers(loop, options);
  if (node::stack_ready(options)) co_return Result<void>{};
  auto built = co_await node::build_stack(loop, options);
  co_return built;
}

// True when each role serves and the node is Ready.
io::Task<bool> is_ready(const Supervisor& supervisor, kube::Client& api, const Instance& instance) {
  if (!supervisor.all_ready()) co_return false;
  auto node = co_await api.get("/api/v1/nodes/" + instance.node_name);
  if (!node) co_return false;
  for (const auto& condition : (*node)["status"]["conditions"].items()) {
    if (condition["type"].str() == "Ready") co_return condition["status"].str() == "True";
  }
  co_return false;
}

// Why it takes long, in the words of those that are waited for.
void tell_wait(const Supervisor& supervisor, const Instance& instance) {
  auto names = supervisor.waiting();
  if (names.empty()) names.push_back("node");  // it serves, but is not Ready
  for (const auto& name : names) {
    const auto log = io::read_tail(instance.path("logs/roles/" + name + ".log"), kMaxLastWords);
    const auto lines = split(trim(log ? *log : std::string()), '\n');
    fmt::print("{}{}; its log ends with: {}\n", kWaitingFor, name, lines.empty() ? "" : lines.back());
  }
  std::fflush(stdout);
}

io::Task<void> announce(io::Loop& loop, const Supervisor& supervisor, kube::Client& api,
                        const Instance& instance) {
  MonotonicTime tell_at = loop.now() + kTellWaitEvery;
  for (;;) {
    const bool ready = co_await is_ready(supervisor, api, instance);
    if (ready) break;
    if (loop.now() >= tell_at) {
      tell_wait(supervisor, instance);
      tell_at = loop.now() + kTellWaitEvery;
    }
    co_await io::sleep(loop, kPollPause);
  }
  if (auto written = io::write_file_atomic(ready_file(instance.data), "ready\n"); !written) {
    log_error("cannot write the ready file", {{"error", written.error().message}});
  }
  fmt::print("{}", ready_text(instance));
  std::fflush(stdout);
  // From here on the supervisor only waits for its roles to end.
  trim_memory_now();
}

struct Running {
  io::Loop& loop;
  const Instance& instance;
  Sockets sockets;
  kube::Client& api;
  Supervisor supervisor;
  bool stopping = false;
  Result<void> outcome = {};
  io::TaskScope scope;
};

io::Task<void> stop_all(Running* running) {
  co_await running->supervisor.stop();
  running->loop.stop();
}

io::Task<void> start_all(Running* running) {
  // The stack images are needed by builds only: the roles start beside their making.
  for (const char* role : kRoles) running->supervisor.start(role, std::move(running->sockets[role]));
  auto stack = co_await make_stack(running->loop, running->instance);
  if (!stack) {
    running->outcome = wrap(stack.error(), "make the stack images");
    running->stopping = true;
    running->scope.spawn(stop_all(running));
    co_return;
  }
  co_await announce(running->loop, running->supervisor, running->api, running->instance);
}

// Of a detached instance: nobody else bounds it.
io::Task<void> bound_own_log(io::Loop& loop, std::string path) {
  for (;;) {
    co_await io::sleep(loop, kLogLook);
    auto bounded = co_await io::run_blocking(loop, [path] { return io::bound_log(path, kMaxLogBytes); });
    if (!bounded) log_warn("cannot keep the end of a log", {{"error", bounded.error().message}});
  }
}

}  // namespace

std::string ready_text(const Instance& instance) {
  return fmt::format("ready: apps at http://<app>.{}:{}/, kubectl with KUBECONFIG={}\n", instance.domain,
                     instance.ports.http, instance.path("kubeconfig"));
}

Result<void> run_instance(const Instance& instance, Sockets sockets) {
  auto context = begin_role("skiff");
  if (!context) return std::unexpected(context.error());
  SKIFF_RETURN_IF_ERROR(io::write_file_atomic(pid_file(instance.data), fmt::format("{}\n", ::getpid())));
  SKIFF_RETURN_IF_ERROR(io::make_directories(instance.path("logs/roles")));
  auto client = api_options(instance, "admin");
  if (!client) return std::unexpected(client.error());
  kube::HttpClient api(*context->loop, *context->network, {*client, "", "skiff-up"});
  io::Loop& loop = *context->loop;
  Running running{
      loop,
      instance,
      std::move(sockets),
      api,
      Supervisor(loop, {own_binary(), "role"}, {"--data", instance.data}, instance.path("logs/roles")),
      false,
      {},
      io::TaskScope(loop)};
  auto signals = watch_signals(loop, [&running] {
    if (running.stopping) return;
    running.stopping = true;
    running.scope.spawn(stop_all(&running));
  });
  if (!signals) return std::unexpected(signals.error());
  context->signals = std::move(*signals);
  running.scope.spawn(start_all(&running));
  running.scope.spawn(bound_own_log(loop, instance.path("logs/up.log")));
  loop.run();
  ::unlink(pid_file(instance.data).c_str());
  ::unlink(ready_file(instance.data).c_str());
  return running.outcome;
}

}  // namespace skiff
