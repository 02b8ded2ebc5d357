// What is known of an app and of a release, and the app in a browser.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/strings.h"
#include "cli/commands.h"
#include "io/process.h"

namespace skiff::cli {

namespace {

// "Git URL" and "git_url": one name for people, one for scripts.
std::string shell_name(std::string_view label) {
  return replace_all(to_lower(label), " ", "_");
}

void print_facts(CommandContext& context, const std::string& title, const Facts& facts, Format format) {
  if (format == Format::kShell) {
    for (const auto& [label, value] : facts) {
      context.console.raw(shell_assignment(shell_name(label), value) + "\n");
    }
    return;
  }
  size_t width = 0;
  for (const auto& [label, value] : facts) width = std::max(width, label.size());
  context.console.out(fmt::format("=== {}\n", title));
  for (const auto& [label, value] : facts) {
    if (value.empty()) continue;
    context.console.out(fmt::format("{:<{}} {}\n", label + ":", width + 1, value));
  }
}

std::string describe_formation(const json::Value& formation) {
  std::vector<std::string> words;
  for (const auto& type : formation.items()) {
    words.push_back(fmt::format("{}: {}", type["type"].str(), type["quantity"].as_int()));
  }
  return join(words, ", ");
}

// What no address may hold is written as %XX; what the caller has written so stays.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        c > 0x20 && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// True on a desktop, where there is a browser to open.
bool has_desktop() {
  return std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;
}

// The release of a version such as "v3", or the one that should run.
const json::Value* find_release(const json::Value& releases, const std::string& version) {
  const auto& items = releases.items();
  const auto found = std::find_if(items.begin(), items.end(), [&](const json::Value& release) {
    return version.empty() ? release["current"].as_bool()
                           : fmt::format("v{}", release["version"].as_int()) == version;
  });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

Facts describe_release(const json::Value& release, WallTime now) {
  return {{"Change", release["description"].str()},
          {"Status", release["status"].str()},
          {"Message", release["message"].str()},
          {"Current", release["current"].as_bool() ? "true" : "false"},
          {"Serving", release["serving"].as_bool() ? "true" : "false"},
          {"Slug", release["slug"]["id"].str()},
          {"When", describe_time(release["created_at"].str(), now)}};
}

io::Task<Result<void>> show_app(CommandContext& context, std::string app, Format format) {
  auto about = co_await context.platform.call("GET", app_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(about);
  auto formation = co_await context.platform.call("GET", app_path(app, "/formation"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(formation);
  if (format == Format::kJson) {
    const json::Value all = json::Value::object({{"app", *about}, {"dynos", *formation}});
    context.console.raw(json::encode_pretty(all) + "\n");
    co_return Result<void>{};
  }
  const Facts facts = {{"Created", describe_time((*about)["created_at"].str(), context.loop.wall_now())},
                       {"Dynos", describe_formation(*formation)},
                       {"Git URL", (*about)["git_url"].str()},
                       {"Maintenance", (*about)["maintenance"].as_bool() ? "true" : "false"},
                       {"Stack", (*about)["stack"]["name"].str()},
                       {"Web URL", (*about)["web_url"].str()}};
  print_facts(context, app, facts, format);
  co_return Result<void>{};
}

io::Task<Result<void>> open_app(CommandContext& context, std::string app, std::string path) {
  auto about = co_await context.platform.call("GET", app_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(about);
  const std::string url =
      (*about)["web_url"].str() + percent_encoded(path.substr(path.starts_with("/") ? 1 : 0));
  if (!has_desktop()) {
    context.console.out(url + "\n");
    co_return Result<void>{};
  }
  std::vector<std::string> browser = {"xdg-open", url};
  auto opened = co_await io::run_command(context.loop, std::move(browser));
  if (!opened || !opened->status.ok()) {
    co_return fail(Code::kUnavailable, "no browser could be opened (xdg-open): the address is " + url);
  }
  context.console.out(fmt::format("Opening {}... done\n", app));
  co_return Result<void>{};
}

io::Task<Result<void>> show_release(CommandContext& context, std::string app, std::string version,
                                    Format format) {
  auto releases = co_await context.platform.call("GET", app_path(app, "/releases"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(releases);
  if (!version.empty() && !version.starts_with("v")) version = "v" + version;
  const json::Value* release = find_release(*releases, version);
  if (!release) {
    co_return fail(Code::kNotFound, fmt::format("{} has no release {}; `skiff releases -a {}` lists them",
                                                app, version.empty() ? "that should run" : version, app));
  }
  if (format == Format::kJson) {
    context.console.raw(json::encode_pretty(*release) + "\n");
    co_return Result<void>{};
  }
  const Facts facts = describe_release(*release, context.loop.wall_now());
  print_facts(context, fmt::format("Release v{}", (*release)["version"].as_int()), facts, format);
  co_return Result<void>{};
}

}  // namespace skiff::cli
