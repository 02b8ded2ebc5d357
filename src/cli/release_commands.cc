// Config vars, releases, builds.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/commands.h"

namespace skiff::cli {

static constexpr size_t kShownCommit = 8;  // characters

io::Task<Result<void>> show_config(CommandContext& context, std::string app, Format format) {
  auto vars = co_await context.platform.call("GET", app_path(app, "/config-vars"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  if (format == Format::kJson) {
    context.console.raw(json::encode_pretty(*vars) + "\n");
    co_return Result<void>{};
  }
  if (format == Format::kPeople) context.console.out(fmt::format("=== {} Config Vars\n", app));
  for (const auto& [name, value] : vars->members()) {
    if (format == Format::kShell) {
      context.console.raw(shell_assignment(name, value.str()) + "\n");
    } else {
      context.console.out(fmt::format("{}: {}\n", name, value.str()));
    }
  }
  co_return Result<void>{};
}

io::Task<Result<void>> get_config(CommandContext& context, std::string app, std::string name) {
  auto vars = co_await context.platform.call("GET", app_path(app, "/config-vars"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  const json::Value* value = vars->find(name);
  if (!value) {
    co_return fail(Code::kNotFound,
                   fmt::format("{} has no config var {}; `skiff config -a {}` lists them", app, name, app));
  }
  context.console.raw(value->str() + "\n");
  co_return Result<void>{};
}

static int64_t newest_release(const json::Value& releases) {
  int64_t newest = 0;
  for (const auto& release : releases.items()) newest = std::max(newest, release["version"].as_int());
  return newest;
}

static io::Task<Result<void>> change_config(CommandContext& context, std::string app, json::Value changes,
                                            std::string what) {
  auto before = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(before);
  auto vars = co_await context.platform.call("PATCH", app_path(app, "/config-vars"), std::move(changes));
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
  if (!releases) co_return wrap(releases.error(), what + ": done, but what became of it is not known");
  const int64_t newest = newest_release(*releases);
  if (newest == newest_release(*before)) {
    context.console.out(fmt::format("{}: that is so already; {} stays at v{}\n", what, app, newest));
    co_return Result<void>{};
  }
  context.console.out(fmt::format("{} and restarting {}... ", what, app));
  const std::string trouble = co_await wait_for_release(context, app, newest);
  context.console.out(fmt::format("{}, v{}\n{}", trouble.empty() ? "done" : "released", newest, trouble));
  co_return Result<void>{};
}

// What the App points to, and what serves, when that is something else.
static std::string describe_part(const json::Value& release) {
  const bool current = release["current"].as_bool(), serving = release["serving"].as_bool();
  if (current && serving) return " (current)";
  if (current) return " (current, does not serve)";
  return serving ? " (serves)" : "";
}

io::Task<Result<void>> set_config(CommandContext& context, std::string app, std::vector<std::string> pairs) {
  json::Value changes = json::Value::object();
  std::vector<std::string> names;
  for (const auto& text : pairs) {
    auto pair = parse_assignment(text);
    SKIFF_CO_RETURN_IF_ERROR(pair);
    changes.set(pair->first, pair->second);
    names.push_back(pair->first);
  }
  auto done =
      co_await change_config(context, std::move(app), std::move(changes), "Setting " + join(names, ", "));
  co_return done;
}

io::Task<Result<void>> unset_config(CommandContext& context, std::string app,
                                    std::vector<std::string> names) {
  json::Value changes = json::Value::object();
  for (const auto& name : names) changes.set(name, nullptr);
  auto done =
      co_await change_config(context, std::move(app), std::move(changes), "Unsetting " + join(names, ", "));
  co_return done;
}

io::Task<Result<void>> list_releases(CommandContext& context, std::string app) {
  auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(releases);
  auto items = releases->items();
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return a["version"].as_int() > b["version"].as_int(); });
  context.console.out(fmt::format("=== {} Releases\n", app));
  for (const auto& release : items) {
    const std::string& why = release["message"].str();
    context.console.out(fmt::format("v{:<4} {:<40} {:<10} {}{}{}\n", release["version"].as_int(),
                                    release["description"].str(), release["status"].str(),
                                    release["created_at"].str(), describe_part(release),
                                    why.empty() ? "" : ": " + why));
  }
  co_return Result<void>{};
}

std::string find_rollback(const json::Value& releases) {
  int64_t current = newest_release(releases) + 1, found = 0;
  for (const auto& release : releases.items()) {
    if (release["current"].as_bool()) current = release["version"].as_int();
  }
  for (const auto& release : releases.items()) {
    const int64_t version = release["version"].as_int();
    const bool came_up = release["status"].str() == "succeeded" && release["slug"].is_object();
    if (came_up && version < current) found = std::max(found, version);
  }
  return found == 0 ? "" : fmt::format("v{}", found);
}

io::Task<Result<void>> rollback(CommandContext& context, std::string app, std::string version) {
  if (version.empty()) {
    auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
    SKIFF_CO_RETURN_IF_ERROR(releases);
    version = find_rollback(*releases);
    if (version.empty()) {
      co_return fail(
          Code::kInvalidArgument,
          fmt::format("{} has no earlier release that came up, to roll back to; `skiff releases -a {}` "
                      "lists them, and `skiff rollback v3` goes to one whatever became of it",
                      app, app));
    }
  }
  json::Value body = json::Value::object({{"release", version}});
  auto release = co_await context.platform.call("POST", app_path(app, "/releases"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(release);
  const int64_t made = (*release)["version"].as_int();
  context.console.out(fmt::format("Rolling back {} to {}... ", app, version));
  const std::string trouble = co_await wait_for_release(context, app, made);
  context.console.out(fmt::format("{}, v{}\n{}{}", trouble.empty() ? "done" : "released", made,
                                  describe_stopped(*release), trouble));
  co_return Result<void>{};
}

io::Task<Result<void>> list_builds(CommandContext& context, std::string app) {
  auto builds = co_await context.platform.call("GET", app_path(app, "/builds"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(builds);
  context.console.out(fmt::format("=== {} Builds\n", app));
  for (const auto& build : builds->items()) {
    const auto& release = build["release"]["version"];
    context.console.out(fmt::format("{:<18} {:<10} {:<9} {:<6} {}\n", build["id"].str(),
                                    build["status"].str(),
                                    build["source_blob"]["version"].str().substr(0, kShownCommit),
                                    release.is_int() ? fmt::format("v{}", release.as_int()) : "-",
                                    describe_time(build["created_at"].str(), context.loop.wall_now())));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> show_build(CommandContext& context, std::string app, std::string id) {
  auto build = co_await context.platform.call("GET", app_path(app, "/builds/" + url_encode(id)), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(build);
  context.console.raw((*build)["output"].str());
  if (const auto& why = (*build)["message"].str(); !why.empty()) context.console.out(" !     " + why + "\n");
  co_return Result<void>{};
}

io::Task<Result<void>> show_build_details(CommandContext& context, std::string app, std::string id) {
  auto build = co_await context.platform.call("GET", app_path(app, "/builds/" + url_encode(id)), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(build);
  std::string out = fmt::format("=== {} Build {}: {}\n", app, id, (*build)["status"].str());
  for (const auto& phase : (*build)["phases"].items()) {
    constexpr double kMilliseconds = 1000;
    out += fmt::format("{:<20} {:>8.2f} s\n", phase["name"].str(),
                       static_cast<double>(phase["milliseconds"].as_int()) / kMilliseconds);
  }
  for (const auto& [key, value] : (*build)["report"].members())
    out += fmt::format("{:<20} {}\n", key, value.str());
  context.console.out(out);
  co_return Result<void>{};
}

}  // namespace skiff::cli
