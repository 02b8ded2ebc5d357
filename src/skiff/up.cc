#include "skiff/up.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "node/images/stack.h"
#include "platform/builds/disk.h"
#include "skiff/memory.h"
#include "skiff/node_options.h"
#include "skiff/ports.h"
#include "skiff/role_support.h"
#include "skiff/supervisor.h"

namespace skiff {

namespace {

constexpr Duration kReadyTimeout = std::chrono::minutes(10);  // the first start makes the stack images
constexpr Duration kStopTimeout = std::chrono::seconds(30);
constexpr Duration kDyingLimit = std::chrono::seconds(5);
constexpr Duration kDyingPause = std::chrono::milliseconds(100);  // longer than a killed process needs to end
constexpr Duration kPollPause = std::chrono::milliseconds(50);
constexpr const char* kRoles[] = {"control", "node", "platform", "edge"};

std::string pid_file(const std::string& data) {
  return data + "/run/skiff.pid";
}
std::string ready_file(const std::string& data) {
  return data + "/run/ready";
}

std::string own_binary() {
  char path[4096] = {};
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path - 1);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "skiff";
}

// Lower-case labels of letters, digits and inner dashes.
bool is_domain(const std::string& text) {
  constexpr size_t kMaxLabel = 63, kMaxName = 200;  // below 253: apps' names stand before it
  if (text.size() > kMaxName) return false;
  for (const auto& label : split(text, '.')) {
    if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-')
      return false;
    if (label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) return false;
  }
  return true;
}

Result<void> check_host(const InstanceRequest& request) {
  if (::geteuid() != 0) {
    return fail(Code::kForbidden,
                "Skiff makes containers and networks, so `skiff up` needs root: run it with sudo");
  }
  if (!request.domain.empty() && !is_domain(request.domain)) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no domain name: give one such as localhost or "
                                                    "apps.example.com with --domain",
                                                    request.domain));
  }
  return io::make_directories(request.data);
}

io::Task<bool> connects(io::Network& network, io::Address address) {
  auto stream = co_await network.connect(std::move(address));
  co_return stream.has_value();
}

io::Task<Result<void>> make_stack(io::Loop& loop, const Instance& instance) {
  node::StackOptions options;
  options.local_images = instance.path("images");
  options.work = instance.path("stack-work");
  options.progress = [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  };
  if (node::stack_ready(options)) co_return Result<void>{};
  auto built = co_await node::build_stack(loop, std::move(options));
  co_return built;
}

// True when the node is Ready and the edge and the platform take connections.
io::Task<bool> is_ready(io::Network& network, kube::Client& api, const Instance& instance) {
  auto node = co_await api.get("/api/v1/nodes/" + instance.node_name);
  if (!node) co_return false;
  bool ready = false;
  for (const auto& condition : (*node)["status"]["conditions"].items()) {
    if (condition["type"].str() == "Ready") ready = condition["status"].str() == "True";
  }
  if (!ready) co_return false;
  for (const uint16_t port : {instance.ports.http, instance.ports.https, instance.platform_port}) {
    auto address = io::Address::tcp("127.0.0.1", port);
    const bool open = co_await connects(network, std::move(address));
    if (!open) co_return false;
  }
  co_return true;
}

io::Task<void> announce(io::Loop& loop, io::Network& network, kube::Client& api, const Instance& instance) {
  for (;;) {
    const bool ready = co_await is_ready(network, api, instance);
    if (ready) break;
    co_await io::sleep(loop, kPollPause);
  }
  if (auto written = io::write_file_atomic(ready_file(instance.data), "ready\n"); !written) {
    log_error("cannot write the ready file", {{"error", written.error().message}});
  }
  fmt::print("ready: apps at http://<app>.{}:{}/, kubectl with KUBECONFIG={}\n", instance.domain,
             instance.ports.http, instance.path("kubeconfig"));
  std::fflush(stdout);
  // From here on the supervisor only waits for its roles to end.
  trim_memory_now();
}

struct Running {
  io::Loop& loop;
  const Instance& instance;
  io::Network& network;
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
  for (const char* role : kRoles) running->supervisor.start(role);
  auto stack = co_await make_stack(running->loop, running->instance);
  if (!stack) {
    running->outcome = wrap(stack.error(), "make the stack images");
    running->stopping = true;
    running->scope.spawn(stop_all(running));
    co_return;
  }
  co_await announce(running->loop, running->network, running->api, running->instance);
}

// The caller holds the instance's lock until this ends.
Result<void> run_instance(const Instance& instance) {
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
      *context->network,
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
  loop.run();
  ::unlink(pid_file(instance.data).c_str());
  ::unlink(ready_file(instance.data).c_str());
  return running.outcome;
}

// The end of what a detached instance said.
std::string last_words(const std::string& data) {
  const auto text = io::read_file(data + "/logs/up.log");
  const auto lines = split(trim(text.value_or("")), '\n');
  return lines.back();
}

// Waits in the parent of a detached start until the child says ready or ends.
Result<void> wait_until_ready(pid_t child, const std::string& data) {
  const auto deadline = std::chrono::steady_clock::now() + kReadyTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (io::path_exists(ready_file(data))) return {};
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      return fail(Code::kInternal,
                  fmt::format("the instance ended: {}\nmore in {}/logs", last_words(data), data));
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return fail(Code::kTimeout, fmt::format("the instance is not ready yet; see {}/logs", data));
}

// The lock goes to the child: both have it from the fork on, and the parent lets go of it at once.
Result<void> detach_and_wait(const Instance& instance, io::UniqueFd lock) {
  SKIFF_RETURN_IF_ERROR(io::make_directories(instance.path("logs")));
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno(errno, "fork");
  if (child > 0) {
    lock.reset();
    SKIFF_RETURN_IF_ERROR(wait_until_ready(child, instance.data));
    fmt::print("ready: apps at http://<app>.{}:{}/, kubectl with KUBECONFIG={}\n", instance.domain,
               instance.ports.http, instance.path("kubeconfig"));
    return {};
  }
  ::setsid();
  const std::string path = instance.path("logs/up.log");
  const int log = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null_fd, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  auto outcome = run_instance(instance);
  if (!outcome) log_error("the instance ended", {{"error", outcome.error().message}});
  std::_Exit(outcome ? 0 : 1);
}

bool supervisor_lives(const std::string& data) {
  const auto pid = io::read_file(pid_file(data));
  if (!pid) return false;
  const auto command = io::read_file(fmt::format("/proc/{}/cmdline", trim(*pid)));
  return command && !command->empty();
}

// An instance that was killed holds its lock until the kernel has taken it apart, so it is waited for.
Result<io::UniqueFd> lock_instance(const std::string& data) {
  const auto limit = std::chrono::steady_clock::now() + kDyingLimit;
  for (;;) {
    auto lock = io::lock_file(data + "/run/lock");
    if (lock || std::chrono::steady_clock::now() > limit) return lock;
    std::this_thread::sleep_for(kDyingPause);
    if (supervisor_lives(data)) return lock;
  }
}

}  // namespace

Result<void> up(const UpOptions& options) {
  SKIFF_RETURN_IF_ERROR(check_host(options.request));
  const std::string& data = options.request.data;
  SKIFF_RETURN_IF_ERROR(io::make_directories(data + "/run"));
  // Held before anything is read or made: two first starts at once would write over each other's authority.
  auto lock = lock_instance(data);
  if (!lock && io::path_exists(ready_file(data))) {
    fmt::print("ready: an instance runs already in {}\n", data);
    return {};
  }
  if (!lock) return fail(Code::kUnavailable, "an instance is starting already in " + data);
  // What a killed instance left.
  ::unlink(ready_file(data).c_str());
  ::unlink(pid_file(data).c_str());
  {
    auto loop = io::make_epoll_loop();
    SKIFF_RETURN_IF_ERROR(io::block_on(*loop, check_ports(*loop, wanted_ports(options.request))));
  }
  SystemRandom random;
  auto instance = open_or_create_instance(options.request, random, std::chrono::system_clock::now());
  if (!instance) return std::unexpected(instance.error());
  return options.foreground == Foreground::kYes ? run_instance(*instance)
                                                : detach_and_wait(*instance, std::move(*lock));
}

Result<void> down(const std::string& data) {
  auto text = io::read_file(pid_file(data));
  if (!text && text.error().code == Code::kForbidden) return refused_access(data);
  const auto pid = text ? parse_int(trim(*text)) : std::nullopt;
  auto free = io::lock_file(data + "/run/lock");
  if (free || !pid) {
    fmt::print("nothing runs in {}\n", data);
    return {};
  }
  if (::kill(static_cast<pid_t>(*pid), SIGTERM) != 0) return fail_errno(errno, "stop the instance");
  const auto deadline = std::chrono::steady_clock::now() + kStopTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (io::lock_file(data + "/run/lock")) {
      fmt::print("stopped; `skiff up --data {}` brings everything back\n", data);
      return {};
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return fail(Code::kTimeout, fmt::format("process {} does not stop", *pid));
}

Result<void> remove(const std::string& data) {
  auto instance = open_instance(data);
  if (!instance) return std::unexpected(instance.error());
  auto lock = io::lock_file(data + "/run/lock");
  if (!lock)
    return fail(Code::kUnavailable, fmt::format("stop the instance first: skiff down --data {}", data));
  auto options = agent_options(*instance);
  if (!options) return std::unexpected(options.error());
  auto loop = io::make_epoll_loop();
  platform::unmount_build_disks(instance->path("platform"));
  auto removed = io::block_on(*loop, node::remove_instance(*loop, *options));
  if (removed) fmt::print("removed from this machine; the data in {} is yours to delete\n", data);
  return removed;
}

}  // namespace skiff
