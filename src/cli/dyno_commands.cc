// Formation, dynos and their logs.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

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

static int64_t quantity_of(const json::Value& formation, const std::string& type) {
  for (const auto& item : formation.items()) {
    if (item["type"].str() == type) return item["quantity"].as_int();
  }
  return 0;
}

std::string describe_quantities(const json::Value& formation) {
  std::vector<std::string> types;
  for (const auto& item : formation.items()) {
    types.push_back(
        fmt::format("{}={}:{}", item["type"].str(), item["quantity"].as_int(), item["size"].str()));
  }
  std::ranges::sort(types);
  return join(types, " ");
}

// "web.1: up 2026/01/02 03:04:05 +0000 (~ 5m ago) v3", and why it does not run.
static std::string describe_dyno(const json::Value& dyno, WallTime now) {
  const std::string& reason = dyno["reason"].str();
  return fmt::format("{}: {} {} v{}{}\n", dyno["name"].str(), dyno["state"].str(),
                     describe_time(dyno["updated_at"].str(), now), dyno["release"]["version"].as_int(),
                     reason.empty() ? "" : ": " + reason);
}

std::string describe_dynos(const json::Value& dynos, WallTime now) {
  // While two releases run, those of each have a heading of their own.
  using Heading = std::tuple<std::string, std::string, int64_t>;
  const auto heading_of = [](const json::Value& dyno) {
    return Heading(dyno["type"].str(), dyno["command"].str(), dyno["release"]["version"].as_int());
  };
  std::map<Heading, int> counts;
  std::map<std::string, std::set<int64_t>> releases;
  for (const auto& dyno : dynos.items()) {
    ++counts[heading_of(dyno)];
    releases[dyno["type"].str()].insert(dyno["release"]["version"].as_int());
  }
  std::string text;
  Heading heading;
  for (const auto& dyno : dynos.items()) {
    if (Heading own = heading_of(dyno); own != heading) {
      heading = std::move(own);
      const auto& [type, command, version] = heading;
      text += fmt::format("=== {} ({}): {} ({}{})\n", type, dyno["size"].str(), command, counts[heading],
                          releases[type].size() > 1 ? fmt::format(" of v{}", version) : "");
    }
    text += describe_dyno(dyno, now);
  }
  return text;
}

std::string describe_scaled(const json::Value& formation, const std::vector<QuantityChange>& changes) {
  std::vector<std::string> now;
  for (const auto& type : formation.items()) {
    const bool changed = std::ranges::any_of(
        changes, [&](const QuantityChange& change) { return change.type == type["type"].str(); });
    if (!changed) continue;
    now.push_back(
        fmt::format("{} at {}:{}", type["type"].str(), type["quantity"].as_int(), type["size"].str()));
  }
  return join(now, ", ");
}

io::Task<Result<void>> scale(CommandContext& context, std::string app, std::vector<std::string> changes) {
  std::vector<QuantityChange> wanted;
  for (const auto& change : changes) {
    auto parsed = parse_quantity(change);
    SKIFF_CO_RETURN_IF_ERROR(parsed);
    wanted.push_back(std::move(*parsed));
  }
  auto present = co_await context.platform.call("GET", app_path(app, "/formation"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(present);
  if (wanted.empty()) {
    if (present->items().empty())
      co_return fail(Code::kNotFound,
                     fmt::format("No process types on {}: push an app with a Procfile", app));
    context.console.out(describe_quantities(*present) + "\n");
    co_return Result<void>{};
  }
  json::Value updates = json::Value::array();
  for (const auto& change : wanted) {
    auto count = apply_quantity(change, quantity_of(*present, change.type));
    SKIFF_CO_RETURN_IF_ERROR(count);
    json::Value update = json::Value::object({{"type", change.type}, {"quantity", *count}});
    if (!change.size.empty()) update.set("size", change.size);
    updates.push_back(std::move(update));
  }
  json::Value body = json::Value::object({{"updates", updates}});
  auto formation = co_await context.platform.call("PATCH", app_path(app, "/formation"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(formation);
  context.console.out(
      fmt::format("Scaling dynos... done, now running {}\n", describe_scaled(*formation, wanted)));
  co_return Result<void>{};
}

io::Task<Result<void>> list_dynos(CommandContext& context, std::string app) {
  auto dynos = co_await context.platform.call("GET", app_path(app, "/dynos"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(dynos);
  if (dynos->items().empty()) context.console.out(fmt::format("No dynos on {}\n", app));
  context.console.out(describe_dynos(*dynos, context.loop.wall_now()));
  co_return Result<void>{};
}

// "all dynos", "dyno web.1", "all web dynos", in Heroku's words.
static std::string describe_choice(const DynoChoice& which) {
  if (!which.type.empty()) return fmt::format("all {} dynos", which.type);
  return which.dyno.empty() ? "all dynos" : "dyno " + which.dyno;
}

static std::string path_of(const std::string& app, const DynoChoice& which) {
  if (!which.type.empty()) return app_path(app, "/formations/" + url_encode(which.type));
  return app_path(app, which.dyno.empty() ? "/dynos" : "/dynos/" + url_encode(which.dyno));
}

io::Task<Result<void>> restart_dynos(CommandContext& context, std::string app, DynoChoice which) {
  auto restarted = co_await context.platform.call("DELETE", path_of(app, which), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(restarted);
  context.console.out(fmt::format("Restarting {} on {}... done\n", describe_choice(which), app));
  co_return Result<void>{};
}

io::Task<Result<void>> stop_dynos(CommandContext& context, std::string app, DynoChoice which) {
  if (which.dyno.empty() && which.type.empty())
    co_return fail(Code::kInvalidArgument, "Please specify a process type or dyno name to stop.");
  auto stopped =
      co_await context.platform.call("POST", path_of(app, which) + "/actions/stop", json::Value::object());
  SKIFF_CO_RETURN_IF_ERROR(stopped);
  context.console.out(fmt::format("Stopping {} on {}... done\n", describe_choice(which), app));
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
