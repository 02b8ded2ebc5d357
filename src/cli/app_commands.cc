#include <fmt/core.h>

#include "base/strings.h"
#include "cli/commands.h"
#include "io/process.h"

namespace skiff::cli {

namespace {

constexpr const char* kRemoteName = "skiff";

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

io::Task<Result<void>> destroy_app(CommandContext& context, std::string app, std::string confirm) {
  if (confirm != app) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("This would destroy {0} and all of its data. To do so: "
                               "skiff apps:destroy -a {0} --confirm {0}",
                               app));
  }
  auto gone = co_await context.platform.call("DELETE", app_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(gone);
  context.console.out(fmt::format("Destroying {} (including all of its data)... done\n", app));
  co_return Result<void>{};
}

io::Task<Result<void>> set_maintenance(CommandContext& context, std::string app, Maintenance maintenance) {
  const bool on = maintenance == Maintenance::kOn;
  json::Value body = json::Value::object({{"maintenance", on}});
  auto changed = co_await context.platform.call("PATCH", app_path(app), std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(changed);
  context.console.out(
      fmt::format("{} maintenance mode for {}... done\n", on ? "Enabling" : "Disabling", app));
  co_return Result<void>{};
}

io::Task<Result<std::string>> find_app(CommandContext& context) {
  auto remote = co_await io::run_command(context.loop, {"git", "remote", "get-url", kRemoteName});
  std::string app = remote && remote->status.ok() ? app_of_remote(remote->out) : "";
  if (app.empty()) {
    co_return fail(Code::kInvalidArgument,
                   "Which app? Name it with -a APP, or stand in a folder whose git remote \"skiff\" is one.");
  }
  co_return app;
}

}  // namespace skiff::cli
