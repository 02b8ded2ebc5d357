#include "skiff/stack_commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "io/scope.h"
#include "io/sync.h"
#include "skiff/buildpacks.h"
#include "skiff/machine.h"
#include "skiff/signals.h"

namespace skiff {

namespace {

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

using Changes = Result<std::vector<node::PackageChange>>;

io::Task<void> update_and_stop(io::Loop& loop, node::StackUpdateOptions options,
                               std::optional<Changes>* out) {
  out->emplace(co_await node::update_stack(loop, std::move(options)));
  loop.stop();
}

// SIGINT and SIGTERM end it with what it began: programs, and up to some gigabytes of files.
Changes update_until_stopped(const node::StackUpdateOptions& options) {
  std::optional<Changes> changes;
  {
    const auto loop = io::make_epoll_loop();
    auto signals = watch_signals(*loop, [&loop] { loop->stop(); });
    if (!signals) return std::unexpected(signals.error());
    io::TaskScope scope(*loop);
    scope.spawn(update_and_stop(*loop, options, &changes));
    loop->run();
  }
  if (changes) return *changes;
  auto removed = node::remove_update_leftovers(options.stack);
  if (!removed) return std::unexpected(removed.error());
  return fail(Code::kCancelled, "the update was stopped");
}

}  // namespace

node::StackOptions stack_options(const Instance& instance) {
  node::StackOptions options;
  options.local_images = instance.path("images");
  options.work = instance.path("stack-work");
  options.cache = machine_directory() + "/stacks";
  options.progress = print_line;
  return options;
}

node::StackUpdateOptions update_options(const Instance& instance) {
  node::StackUpdateOptions options;
  options.stack = stack_options(instance);
  options.stack.work = instance.path("stack-update");
  options.recipes = buildpacks_directory() + "/layers";
  options.machine_layers = machine_directory() + "/layers";
  return options;
}

Result<void> update_stack(const std::string& data) {
  auto instance = open_instance(data);
  if (!instance) return std::unexpected(instance.error());
  if (::geteuid() != 0) return fail(Code::kForbidden, "`skiff stack:update` needs root: run it with sudo");
  const Changes changes = update_until_stopped(update_options(*instance));
  if (!changes) return wrap(changes.error(), "the stack stays as it is");
  for (const auto& change : *changes) print_line(node::describe_change(change));
  print_line(changes->empty() ? "Nothing changed: the stack has today's packages"
                              : "The stack is new. The next push uses it; apps stay as they are until then");
  return {};
}

}  // namespace skiff
