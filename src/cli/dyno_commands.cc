// Formation, dynos and their logs.
#include <fmt/core.h>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/event_reader.h"
#include "io/sync.h"

namespace skiff::cli {

static constexpr Duration kReconnectPause = std::chrono::seconds(1);

// The platform's answer, not the lack of one: asking again does not help.
static bool is_refusal(Code code) {
  return code == Code::kNotFound || code == Code::kInvalidArgument || code == Code::kUnauthenticated ||
         code == Code::kForbidden;
}

io::Task<Result<void>> scale(CommandContext& context, std::string app, std::vector<std::string> changes) {
  json::Value updates = json::Value::array();
  for (const auto& change : changes) {
    auto pair = parse_quantity(change);
    SKIFF_CO_RETURN_IF_ERROR(pair);
    updates.push_back(json::Value::object({{"type", pair->first}, {"quantity", pair->second}}));
  }
  json::Value body = json::Value::object({{"updates", updates}});
  auto formation = co_await context.platform.call("PATCH", app_path(app, "/formation"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(formation);
  std::vector<std::string> now;
  for (const auto& type : formation->items()) {
    now.push_back(fmt::format("{} at {}", type["type"].str(), type["quantity"].as_int()));
  }
  context.console.out(fmt::format("Scaling dynos... done, now running {}\n", join(now, ", ")));
  co_return Result<void>{};
}

io::Task<Result<void>> list_dynos(CommandContext& context, std::string app) {
  auto dynos = co_await context.platform.call("GET", app_path(app, "/dynos"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(dynos);
  if (dynos->items().empty()) context.console.out(fmt::format("No dynos on {}\n", app));
  std::map<std::string, int> counts;
  for (const auto& dyno : dynos->items()) ++counts[dyno["type"].str()];
  std::string type;
  for (const auto& dyno : dynos->items()) {
    if (dyno["type"].str() != type) {
      type = dyno["type"].str();
      context.console.out(fmt::format("=== {} ({}): {} ({})\n", type, dyno["size"].str(),
                                      dyno["command"].str(), counts[type]));
    }
    context.console.out(fmt::format("{}: {} {}\n", dyno["name"].str(), dyno["state"].str(),
                                    describe_time(dyno["updated_at"].str(), context.loop.wall_now())));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> restart_dynos(CommandContext& context, std::string app, std::string which) {
  const std::string part = which.empty() ? "" : "/" + url_encode(which);
  auto restarted = co_await context.platform.call("DELETE", app_path(app, "/dynos" + part), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(restarted);
  context.console.out(fmt::format("Restarting {} of {}... done\n", which.empty() ? "dynos" : which, app));
  co_return Result<void>{};
}

io::Task<Result<void>> show_logs(CommandContext& context, std::string app, LogRequest request) {
  const bool tail = request.tail == LogRequest::Tail::kYes;
  json::Value body = json::Value::object(
      {{"lines", request.lines}, {"tail", tail}, {"source", request.source}, {"dyno", request.dyno}});
  auto session = co_await context.platform.call("POST", app_path(app, "/log-sessions"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(session);
  // The path of the URL: the address of the platform is known.
  std::string_view url = (*session)["logplex_url"].str();
  const size_t scheme = url.find("://");
  const size_t slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  const std::string path(slash == std::string_view::npos ? url : url.substr(slash));
  EventReader events;
  for (;;) {
    auto read = co_await context.platform.stream(
        path, events.last_id(),
        [&events, &context](std::string_view piece) { events.add(piece, context.console.raw); });
    if (!tail || (!read && is_refusal(read.error().code))) co_return read;
    events.restart();
    co_await io::sleep(context.loop, kReconnectPause);
  }
}

}  // namespace skiff::cli
