// Which buildpacks build an app, and the cache of its builds.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/commands.h"

namespace skiff::cli {

namespace {

using json::Value;

constexpr const char* kConfigName = "BUILDPACK_URL";
constexpr std::string_view kRegistryPrefix = "urn:buildpack:";

std::string buildpacks_path(const std::string& app) {
  return app_path(app, "/buildpack-installations");
}

io::Task<Result<std::vector<std::string>>> get_buildpacks(CommandContext& context, std::string app) {
  auto present = co_await context.platform.call("GET", buildpacks_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(present);
  co_return read_buildpacks(*present);
}

// As the platform then has them.
io::Task<Result<Value>> put_buildpacks(CommandContext& context, std::string app,
                                       std::vector<std::string> buildpacks) {
  Value updates = Value::array();
  for (const auto& name : buildpacks) updates.push_back(Value::object({{"buildpack", name}}));
  Value body = Value::object({{"updates", std::move(updates)}});
  auto now = co_await context.platform.call("PUT", buildpacks_path(app), std::move(body));
  co_return now;
}

// A config var that wins over the list, which somebody may have forgotten.
io::Task<void> warn_of_config(CommandContext& context, std::string app) {
  auto vars = co_await context.platform.call("GET", app_path(app, "/config-vars"), nullptr);
  if (!vars || !vars->contains(kConfigName)) co_return;
  context.console.err(fmt::format(
      " !     The config var {0} is still set and comes first: `skiff config:unset {0} -a {1}` removes it\n",
      kConfigName, app));
}

// As the API has them, for programs.
void print_json(CommandContext& context, const Value& installations) {
  context.console.raw(json::encode(installations) + "\n");
}

io::Task<Result<void>> write_change(CommandContext& context, std::string app, std::vector<std::string> wanted,
                                    std::string what, Format format) {
  auto now = co_await put_buildpacks(context, app, std::move(wanted));
  SKIFF_CO_RETURN_IF_ERROR(now);
  if (format == Format::kJson) {
    print_json(context, *now);
    co_return Result<void>{};
  }
  context.console.out(describe_change(app, read_buildpacks(*now), what));
  co_await warn_of_config(context, std::move(app));
  co_return Result<void>{};
}

}  // namespace

std::vector<std::string> read_buildpacks(const Value& installations) {
  std::vector<std::string> out;
  for (const auto& item : installations.items()) {
    std::string_view url = item["buildpack"]["url"].str();
    if (url.starts_with(kRegistryPrefix)) url.remove_prefix(kRegistryPrefix.size());
    out.emplace_back(url);
  }
  return out;
}

Result<std::vector<std::string>> place_buildpack(std::vector<std::string> present, std::string buildpack,
                                                 int index, Placing placing) {
  if (std::ranges::find(present, buildpack) != present.end()) {
    return fail(Code::kInvalidArgument,
                fmt::format("The buildpack {} is already set on your app.", buildpack));
  }
  // Beyond the end is at the end; without an index a list is replaced at its first place, and grows at its
  // end.
  const size_t first = placing == Placing::kReplace ? 0 : present.size();
  const size_t place = std::min(index > 0 ? static_cast<size_t>(index - 1) : first, present.size());
  const auto at = present.begin() + static_cast<std::ptrdiff_t>(place);
  if (placing == Placing::kReplace && at != present.end()) {
    *at = std::move(buildpack);
  } else {
    present.insert(at, std::move(buildpack));
  }
  return present;
}

Result<std::vector<std::string>> take_buildpack(std::vector<std::string> present,
                                                const std::string& buildpack, int index,
                                                const std::string& app) {
  if (buildpack.empty() == (index == 0)) {
    return fail(Code::kInvalidArgument, "name the buildpack to remove, or its place with --index, not both");
  }
  if (present.empty()) {
    return fail(
        Code::kNotFound,
        fmt::format("No buildpacks were found. Next release on {} will detect buildpack normally.", app));
  }
  if (index > static_cast<int>(present.size())) {
    return fail(Code::kInvalidArgument,
                present.size() == 1
                    ? "Invalid index. Only valid value is 1."
                    : fmt::format("Invalid index. Please choose a value between 1 and {}", present.size()));
  }
  // A name may be told in short: go for heroku/go.
  const auto at = index > 0 ? present.begin() + (index - 1)
                            : std::ranges::find_if(present, [&](const std::string& known) {
                                return known == buildpack ||
                                       (buildpack.find('/') == buildpack.npos &&
                                        known.find(':') == known.npos && known.ends_with("/" + buildpack));
                              });
  if (at == present.end()) return fail(Code::kNotFound, "Buildpack not found. Nothing was removed.");
  present.erase(at);
  return present;
}

std::string describe_change(const std::string& app, const std::vector<std::string>& buildpacks,
                            std::string_view what) {
  if (buildpacks.empty()) {
    return fmt::format("Buildpack {}. Next release on {} will detect buildpacks normally.\n", what, app);
  }
  const char* these = buildpacks.size() == 1 ? "this buildpack" : "these buildpacks";
  const std::string run = fmt::format("Run git push skiff main to create a new release using {}.\n", these);
  if (buildpacks.size() == 1) {
    return fmt::format("Buildpack {}. Next release on {} will use {}.\n{}", what, app, buildpacks[0], run);
  }
  std::string text = fmt::format("Buildpack {}. Next release on {} will use:\n", what, app);
  for (size_t i = 0; i < buildpacks.size(); ++i) text += fmt::format("  {}. {}\n", i + 1, buildpacks[i]);
  return text + run;
}

io::Task<Result<void>> list_buildpacks(CommandContext& context, std::string app, Format format) {
  auto installed = co_await context.platform.call("GET", buildpacks_path(app), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(installed);
  if (format == Format::kJson) {
    print_json(context, *installed);
    co_return Result<void>{};
  }
  const auto present = read_buildpacks(*installed);
  if (present.empty()) {
    context.console.out(
        fmt::format("{} has no Buildpacks: a push detects what the app is made with.\n", app));
  } else {
    context.console.out(fmt::format("=== {} Buildpack{}\n", app, present.size() == 1 ? "" : "s"));
  }
  for (size_t i = 0; i < present.size(); ++i) {
    context.console.out(present.size() == 1 ? present.front() + "\n"
                                            : fmt::format("{}. {}\n", i + 1, present[i]));
  }
  co_await warn_of_config(context, std::move(app));
  co_return Result<void>{};
}

io::Task<Result<void>> place_buildpack(CommandContext& context, std::string app, std::string buildpack,
                                       int index, Placing placing, Format format) {
  auto present = co_await get_buildpacks(context, app);
  SKIFF_CO_RETURN_IF_ERROR(present);
  auto wanted = place_buildpack(std::move(*present), std::move(buildpack), index, placing);
  SKIFF_CO_RETURN_IF_ERROR(wanted);
  auto done = co_await write_change(context, std::move(app), std::move(*wanted),
                                    placing == Placing::kReplace ? "set" : "added", format);
  co_return done;
}

io::Task<Result<void>> remove_buildpack(CommandContext& context, std::string app, std::string buildpack,
                                        int index, Format format) {
  auto present = co_await get_buildpacks(context, app);
  SKIFF_CO_RETURN_IF_ERROR(present);
  auto wanted = take_buildpack(std::move(*present), buildpack, index, app);
  SKIFF_CO_RETURN_IF_ERROR(wanted);
  auto done = co_await write_change(context, std::move(app), std::move(*wanted), "removed", format);
  co_return done;
}

io::Task<Result<void>> clear_buildpacks(CommandContext& context, std::string app, Format format) {
  std::vector<std::string> none;
  auto cleared = co_await put_buildpacks(context, app, std::move(none));
  SKIFF_CO_RETURN_IF_ERROR(cleared);
  if (format == Format::kJson) {
    print_json(context, *cleared);
    co_return Result<void>{};
  }
  context.console.out(
      fmt::format("Buildpacks cleared. Next release on {} will detect buildpacks normally.\n", app));
  co_await warn_of_config(context, std::move(app));
  co_return Result<void>{};
}

io::Task<Result<void>> set_first_buildpack(CommandContext& context, std::string app, std::string buildpack) {
  std::vector<std::string> one = {buildpack};
  auto set = co_await put_buildpacks(context, app, std::move(one));
  if (!set) {
    co_return wrap(set.error(), fmt::format("{} was made, without the buildpack", app));
  }
  context.console.out(fmt::format("Setting buildpack to {}... done\n", join(read_buildpacks(*set), ", ")));
  co_return Result<void>{};
}

io::Task<Result<void>> purge_build_cache(CommandContext& context, std::string app) {
  auto purged = co_await context.platform.call("DELETE", app_path(app, "/build-cache"), nullptr);
  SKIFF_CO_RETURN_IF_ERROR(purged);
  context.console.out(
      fmt::format("Clearing app cache for {}... done\nThe next push builds from nothing.\n", app));
  co_return Result<void>{};
}

}  // namespace skiff::cli
