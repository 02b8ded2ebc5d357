#include "cli/commands.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "io/process.h"

namespace skiff::cli {

namespace {

constexpr const char* kRemoteName = "skiff";

std::string app_path(const std::string& app, std::string_view rest = "") {
  return "/apps/" + url_encode(app) + std::string(rest);
}

// Adds the git remote when this folder is a work tree without one; the password stays out of its URL.
io::Task<Result<void>> add_git_remote(CommandContext& context, std::string git_url) {
  auto inside = co_await io::run_command(context.loop, {"git", "rev-parse", "--is-inside-work-tree"});
  if (!inside || !inside->status.ok()) co_return Result<void>{};
  auto existing = co_await io::run_command(context.loop, {"git", "remote", "get-url", kRemoteName});
  const bool exists = existing && existing->status.ok();
  std::vector<std::string> argv = {"git", "remote", exists ? "set-url" : "add", kRemoteName, git_url};
  auto added = co_await io::run_command(context.loop, std::move(argv));
  if (!added || !added->status.ok()) co_return fail(Code::kInternal, "git remote add " + git_url + " failed");
  context.console.out(fmt::format("Git remote {}: {}\n", kRemoteName, git_url));
  co_return Result<void>{};
}

// Git asks this helper for the password of the platform's address; it reads the token file.
io::Task<Result<void>> add_credential_helper(CommandContext& context) {
  const std::string key = "credential." + context.url + ".helper";
  const std::string helper =
      fmt::format("!f() {{ test \"$1\" = get && echo username=skiff && echo password=$(cat '{}'); }}; f",
                  context.token_file);
  auto inside = co_await io::run_command(context.loop, {"git", "rev-parse", "--is-inside-work-tree"});
  if (!inside || !inside->status.ok()) co_return Result<void>{};
  std::vector<std::string> argv = {"git", "config", "--local", "--replace-all", key, helper};
  auto set = co_await io::run_command(context.loop, std::move(argv));
  if (!set || !set->status.ok()) co_return fail(Code::kInternal, "git config " + key + " failed");
  co_return Result<void>{};
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text) {
  const auto halves = split_once(text, "=");
  if (!halves.found || halves.before.empty()) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not of the form NAME=value", text));
  }
  return std::pair(std::string(halves.before), std::string(halves.after));
}

io::Task<Result<void>> create_app(CommandContext& context, std::string name) {
  json::Value body = json::Value::object();
  if (!name.empty()) body.set("name", name);
  auto app = co_await context.platform.call("POST", "/apps", std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(app);
  const std::string created = (*app)["name"].str();
  context.console.out(fmt::format("Creating {}... done\n{}\n", created, (*app)["web_url"].str()));
  const std::string git_url = context.url + "/" + created + ".git";
  auto helper = co_await add_credential_helper(context);
  SKIFF_CO_RETURN_IF_ERROR(helper);
  auto remote = co_await add_git_remote(context, git_url);
  co_return remote;
}

io::Task<Result<void>> list_apps(CommandContext& context) {
  auto apps = co_await context.platform.call("GET", "/apps", nullptr);
  SKIFF_CO_RETURN_IF_ERROR(apps);
  for (const auto& app : apps->items()) context.console.out(app["name"].str() + "\n");
  if (apps->items().empty()) context.console.out("No apps yet. Make one with `skiff create NAME`.\n");
  co_return Result<void>{};
}

io::Task<Result<void>> destroy_app(CommandContext& context, std::string app) {
  auto gone = co_await context.platform.call("DELETE", app_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(gone);
  context.console.out(fmt::format("Destroying {} (including all of its data)... done\n", app));
  co_return Result<void>{};
}

io::Task<Result<void>> scale(CommandContext& context, std::string app, std::vector<std::string> changes) {
  json::Value updates = json::Value::array();
  for (const auto& change : changes) {
    auto pair = parse_assignment(change);
    SKIFF_CO_RETURN_IF_ERROR(pair);
    const auto quantity = parse_int(pair->second);
    if (!quantity || *quantity < 0) {
      co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a count such as web=2", change));
    }
    updates.push_back(json::Value::object({{"type", pair->first}, {"quantity", *quantity}}));
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
  std::string type;
  for (const auto& dyno : dynos->items()) {
    if (dyno["type"].str() != type) {
      type = dyno["type"].str();
      context.console.out(fmt::format("=== {}: {}\n", type, dyno["command"].str()));
    }
    context.console.out(
        fmt::format("{}: {} {}\n", dyno["name"].str(), dyno["state"].str(), dyno["updated_at"].str()));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> show_config(CommandContext& context, std::string app) {
  auto vars = co_await context.platform.call("GET", app_path(app, "/config-vars"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  context.console.out(fmt::format("=== {} Config Vars\n", app));
  for (const auto& [name, value] : vars->members()) {
    context.console.out(fmt::format("{}: {}\n", name, value.str()));
  }
  co_return Result<void>{};
}

static io::Task<Result<void>> change_config(CommandContext& context, std::string app, json::Value changes,
                                            std::string what) {
  auto vars = co_await context.platform.call("PATCH", app_path(app, "/config-vars"), std::move(changes));
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
  int64_t newest = 0;
  if (releases) {
    for (const auto& release : releases->items()) newest = std::max(newest, release["version"].as_int());
  }
  context.console.out(fmt::format("{} and restarting {}... done, v{}\n", what, app, newest));
  co_return Result<void>{};
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
    context.console.out(fmt::format("v{:<4} {:<40} {:<10} {}{}\n", release["version"].as_int(),
                                    release["description"].str(), release["status"].str(),
                                    release["created_at"].str(),
                                    release["current"].as_bool() ? " (current)" : ""));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> rollback(CommandContext& context, std::string app, std::string version) {
  if (version.empty()) {
    auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
    SKIFF_CO_RETURN_IF_ERROR(releases);
    int64_t newest = 0;
    for (const auto& release : releases->items()) newest = std::max(newest, release["version"].as_int());
    if (newest < 2) co_return fail(Code::kInvalidArgument, app + " has no earlier release to roll back to");
    version = fmt::format("v{}", newest - 1);
  }
  json::Value body = json::Value::object({{"release", version}});
  auto release = co_await context.platform.call("POST", app_path(app, "/releases"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(release);
  context.console.out(
      fmt::format("Rolling back {} to {}... done, v{}\n", app, version, (*release)["version"].as_int()));
  co_return Result<void>{};
}

io::Task<Result<void>> show_logs(CommandContext& context, std::string app, int lines, Tail tail) {
  json::Value body = json::Value::object({{"lines", lines}, {"tail", tail == Tail::kYes}});
  auto session = co_await context.platform.call("POST", app_path(app, "/log-sessions"), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(session);
  // The path of the URL: the address of the platform is known.
  std::string_view url = (*session)["logplex_url"].str();
  const size_t scheme = url.find("://");
  const size_t slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  const std::string path(slash == std::string_view::npos ? url : url.substr(slash));
  auto done = co_await context.platform.stream(path, context.console.out);
  co_return done;
}

}  // namespace skiff::cli
