#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "cli/commands.h"
#include "cli/printable.h"
#include "io/process.h"

namespace skiff::cli {

namespace {

// An app that is slow to start is waited for; the platform gives up before that.
constexpr Duration kLongestRename = std::chrono::minutes(11);
// For the last dyno under the old name to end.
constexpr Duration kOldNamePatience = std::chrono::seconds(25);

io::Task<bool> in_work_tree(CommandContext& context) {
  auto inside = co_await io::run_command(context.loop, {"git", "rev-parse", "--is-inside-work-tree"});
  co_return inside && inside->status.ok();
}

io::Task<Result<void>> run_git(CommandContext& context, std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  const std::string command = join(words, " ");
  auto done = co_await io::run_command(context.loop, std::move(words));
  if (!done || !done->status.ok()) co_return fail(Code::kInternal, command + " failed");
  co_return Result<void>{};
}

// Git asks this helper for the password of the platform's address; it reads the token file, so the password
// stays out of the remote's URL.
std::string credential_helper(const std::string& token_file) {
  return fmt::format("!f() {{ test \"$1\" = get && echo username=skiff && echo password=$(cat '{}'); }}; f",
                     replace_all(token_file, "'", "'\\''"));
}

io::Task<Result<void>> write_credential_helper(CommandContext& context) {
  std::vector<std::string> help = {"config", "--local", "--replace-all",
                                   "credential." + context.url + ".helper",
                                   credential_helper(context.token_file)};
  auto helped = co_await run_git(context, std::move(help));
  co_return helped;
}

// Where a remote of this folder leads; "" when there is none of that name.
io::Task<std::string> remote_url(CommandContext& context, std::string remote) {
  std::vector<std::string> ask = {"git", "remote", "get-url", "--", std::move(remote)};
  auto url = co_await io::run_command(context.loop, std::move(ask));
  co_return url && url->status.ok() ? std::string(trim(url->out)) : "";
}

io::Task<Result<void>> set_remote(CommandContext& context, std::string remote, std::string verb,
                                  std::string url) {
  auto helped = co_await write_credential_helper(context);
  SKIFF_CO_RETURN_IF_ERROR(helped);
  std::vector<std::string> words = {"remote", std::move(verb), "--", remote, url};
  auto set = co_await run_git(context, std::move(words));
  SKIFF_CO_RETURN_IF_ERROR(set);
  context.console.out(fmt::format("Git remote {}: {}\n", remote, url));
  co_return Result<void>{};
}

// The remotes of this folder that lead to `url`.
io::Task<std::vector<std::string>> remotes_to(CommandContext& context, std::string url) {
  std::vector<std::string> remotes;
  std::vector<std::string> ask = {"git", "remote", "-v"};
  auto listing = co_await io::run_command(context.loop, std::move(ask));
  if (listing && listing->status.ok()) remotes = remotes_of_url(listing->out, url);
  co_return remotes;
}

// The last word of the platform on a rename; that of the request when it knows of none.
io::Task<Result<json::Value>> wait_for_rename(CommandContext& context, std::string app, std::string name,
                                              Result<json::Value> asked) {
  const std::string path = fmt::format("/renames/{}/{}", url_encode(app), url_encode(name));
  const MonotonicTime end = context.loop.now() + kLongestRename;
  MonotonicTime old_name_end{};  // how long the old name is waited for
  for (;;) {
    auto now = co_await context.platform.call("GET", path, nullptr);
    SKIFF_CO_RETURN_IF_ERROR(now);
    const std::string status = (*now)["status"].str();
    const MonotonicTime time = context.loop.now();
    if (status == "unknown" && !asked) co_return asked;
    if (status == "succeeded" && old_name_end == MonotonicTime{}) old_name_end = time + kOldNamePatience;
    if (status == "succeeded" && ((*now)["old_name_free"].as_bool() || time > old_name_end)) co_return now;
    if (status == "undone" || status == "unknown") {
      const std::string why = (*now)["message"].str_or("see `skiff logs -a " + app + "`");
      co_return fail(Code::kConflict, fmt::format("{} keeps its name: {}", app, why));
    }
    if (time > end) {
      co_return fail(
          Code::kTimeout,
          fmt::format("{} is still being renamed to {}, which goes on: see `skiff apps`", app, name));
    }
  }
}

std::string git_url(const CommandContext& context, const std::string& app) {
  return context.url + "/" + app + ".git";
}

Result<void> check_remote_name(std::string_view name) {
  const bool good = !name.empty() && name.front() != '-' && name.front() != '.' && !name.ends_with(".lock") &&
                    name.find("..") == name.npos && std::ranges::all_of(name, [](char c) {
                      return std::isalnum(static_cast<unsigned char>(c)) ||
                             std::string_view("-_./").find(c) != std::string_view::npos;
                    });
  if (good) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("\"{}\" is no name for a git remote: letters, digits, and - _ . / between them",
                          printable(name.substr(0, 64))));
}

}  // namespace

io::Task<Result<void>> create_app(CommandContext& context, std::string name,
                                  std::optional<std::string> remote, std::string buildpack) {
  if (remote) {
    auto good = check_remote_name(*remote);
    SKIFF_CO_RETURN_IF_ERROR(good);
  }
  json::Value body = json::Value::object();
  if (!name.empty()) body.set("name", name);
  auto app = co_await context.platform.call("POST", "/apps", std::move(body));
  SKIFF_CO_RETURN_IF_ERROR(app);
  const std::string created = (*app)["name"].str();
  context.console.out(fmt::format("Creating {}... done\n{}\n", created, (*app)["web_url"].str()));
  if (!buildpack.empty()) {
    auto set = co_await set_first_buildpack(context, created, std::move(buildpack));
    SKIFF_CO_RETURN_IF_ERROR(set);
  }
  if (!remote) co_return Result<void>{};
  const bool inside = co_await in_work_tree(context);
  if (!inside) {
    context.console.out(
        fmt::format("This is no git repository: `skiff git:remote -a {}` in one adds the remote\n", created));
    co_return Result<void>{};
  }
  const std::string url = git_url(context, created);
  const std::string known = co_await remote_url(context, *remote);
  if (!known.empty() && known != url) {
    context.console.out(fmt::format(
        "The git remote {} stays as it is: {}\n`skiff git:remote -a {} --remote NAME` adds another one\n",
        *remote, known, created));
    co_return Result<void>{};
  }
  auto connected =
      co_await set_remote(context, std::move(*remote), known.empty() ? "add" : "set-url", std::move(url));
  co_return connected;
}

io::Task<Result<void>> add_git_remote(CommandContext& context, std::string app, std::string remote) {
  auto good = check_remote_name(remote);
  SKIFF_CO_RETURN_IF_ERROR(good);
  auto found = co_await context.platform.call("GET", app_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(found);
  const bool inside = co_await in_work_tree(context);
  if (!inside) co_return fail(Code::kInvalidArgument, "this is no git repository: `git init` makes one");
  const std::string known = co_await remote_url(context, remote);
  auto connected = co_await set_remote(context, std::move(remote), known.empty() ? "add" : "set-url",
                                       git_url(context, app));
  co_return connected;
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

io::Task<Result<void>> rename_app(CommandContext& context, std::string app, std::string name) {
  json::Value body = json::Value::object({{"name", name}});
  auto asked = co_await context.platform.call("PATCH", app_path(app), std::move(body));
  // Without an answer it may have begun all the same.
  if (!asked && asked.error().code != Code::kUnavailable) co_return std::unexpected(asked.error());
  auto outcome = co_await wait_for_rename(context, app, name, std::move(asked));
  SKIFF_CO_RETURN_IF_ERROR(outcome);
  auto renamed = co_await context.platform.call("GET", app_path(name), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(renamed);
  const std::string url = git_url(context, name);
  context.console.out(
      fmt::format("Renaming {} to {}... done\n{} | {}\n", app, name, (*renamed)["web_url"].str(), url));
  if (!(*outcome)["old_name_free"].as_bool())
    context.console.out(fmt::format("The name {} is free when its last dyno has ended\n", app));
  const auto remotes = co_await remotes_to(context, git_url(context, app));
  for (const auto& remote : remotes) {
    std::vector<std::string> words = {"remote", "set-url", "--", remote, url};
    auto set = co_await run_git(context, std::move(words));
    SKIFF_CO_RETURN_IF_ERROR(set);
    context.console.out(fmt::format("Git remote {} updated\n", remote));
  }
  context.console.out(fmt::format("Other checkouts of it need: git remote set-url skiff {}\n", url));
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

io::Task<Result<std::string>> find_app(CommandContext& context, std::string remote) {
  const std::string url = co_await remote_url(context, remote);
  std::string app = app_of_remote(url);
  if (app.empty()) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("Which app? Name it with -a APP, or stand in a folder whose git remote \"{}\" "
                               "is one.",
                               remote));
  }
  co_return app;
}

}  // namespace skiff::cli
