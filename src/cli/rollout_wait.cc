// Waiting for what a command has released.
#include <fmt/core.h>

#include "cli/commands.h"

namespace skiff::cli {

namespace {
constexpr Duration kLongestWait = std::chrono::seconds(120);  // as a push waits
}

// The rollout goes on, whoever waits for it: an answer that does not come is no failure of the command.
io::Task<std::string> wait_for_release(CommandContext& context, std::string app, int64_t version) {
  const MonotonicTime end = context.loop.now() + kLongestWait;
  std::string text;
  while (context.loop.now() < end) {
    auto rollout =
        co_await context.platform.call("GET", app_path(app, fmt::format("/rollouts/v{}", version)), nullptr);
    if (!rollout)
      co_return fmt::format(" !     whether v{} came up is not known: {}\n", version,
                            rollout.error().message);
    text = (*rollout)["status"].str() == "succeeded" ? "" : (*rollout)["text"].str();
    if ((*rollout)["done"].as_bool()) break;
  }
  co_return text;
}

std::string describe_stopped(const json::Value& release) {
  std::string text;
  for (const auto& type : release["stopped"].items()) {
    text += fmt::format(" !     {} is no process type of v{}: its dynos stop; {} is remembered\n",
                        type["type"].str(), release["version"].as_int(), type["quantity"].as_int());
  }
  return text;
}

}  // namespace skiff::cli
