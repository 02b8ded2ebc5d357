#include "skiff/stack_commands.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "io/sync.h"
#include "skiff/buildpacks.h"
#include "skiff/machine.h"

namespace skiff {

namespace {

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
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
  auto loop = io::make_epoll_loop();
  auto changes = io::block_on(*loop, node::update_stack(*loop, update_options(*instance)));
  if (!changes) return wrap(changes.error(), "the stack stays as it is");
  for (const auto& change : *changes) print_line(node::describe_change(change));
  print_line(changes->empty() ? "Nothing changed: the stack has today's packages"
                              : "The stack is new. The next push uses it; apps stay as they are until then");
  return {};
}

}  // namespace skiff
