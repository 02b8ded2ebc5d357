// The commands about apps: each talks to the Platform API and prints for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/platform_client.h"

namespace skiff::cli {

// `out` is for people: what steers a terminal is written out (printable.h). `raw` is for programs, and for
// what an app or a build printed itself.
struct Console {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> raw;
  std::function<void(std::string_view)> err;
};

// Everything a command may need. `url` is how people reach the platform: "http://localhost:8080".
struct CommandContext {
  PlatformClient& platform;
  Console console;
  std::string url;
  std::string domain;
  std::string token_file;  // where git's credential helper reads the password
  io::Loop& loop;
};

using Done = io::Task<Result<void>>;

// app_commands.cc
// `remote` is the name of the git remote for it; one of that name that leads elsewhere is kept, and told.
// "" makes none.
// `buildpack` "" sets none.
Done create_app(CommandContext& context, std::string name, std::optional<std::string> remote,
                std::string buildpack = "");
// In the git repository of this folder: the remote, anew if need be, and a credential helper for it.
Done add_git_remote(CommandContext& context, std::string app, std::string remote);
Done list_apps(CommandContext& context);
// `confirm` repeats the app's name.
Done destroy_app(CommandContext& context, std::string app, std::string confirm);
// Waits until the app serves under its new name, and repoints the git remotes of this folder that lead to it.
Done rename_app(CommandContext& context, std::string app, std::string name);
enum class Maintenance { kOff, kOn };
Done set_maintenance(CommandContext& context, std::string app, Maintenance maintenance);
// The app of a git remote of this folder; an error that says what to do when there is none.
io::Task<Result<std::string>> find_app(CommandContext& context, std::string remote);

// info_commands.cc
enum class Format { kPeople, kShell, kJson };
Done show_app(CommandContext& context, std::string app, Format format);
// Opens the app in the browser of this desktop; without one it prints the address. `path` is below the app's.
Done open_app(CommandContext& context, std::string app, std::string path);
// "" is the release that should run.
Done show_release(CommandContext& context, std::string app, std::string version, Format format);

// rollout_wait.cc
// Until the release is up, or what keeps it from that is known: then that, as lines for people; "" for none.
io::Task<std::string> wait_for_release(CommandContext& context, std::string app, int64_t version);
// Pure: process types that the release, as the API shows it, has no more; "" for none.
std::string describe_stopped(const json::Value& release);

// dyno_commands.cc; changes are "web=4", "worker+1", "web-2"; without any the formation is shown
Done scale(CommandContext& context, std::string app, std::vector<std::string> changes);
Done list_dynos(CommandContext& context, std::string app);
// One of the two at most. The `dyno` may name a type too, as with Heroku's command line of old.
struct DynoChoice {
  std::string dyno, type;  // "web.1", "web"
};
// All without a choice: those of a type are replaced one after the other, while the others serve.
Done restart_dynos(CommandContext& context, std::string app, DynoChoice which);
// Ends a dyno, or those of a type at once; others take their places.
Done stop_dynos(CommandContext& context, std::string app, DynoChoice which);
struct LogRequest {
  int lines = 100;
  enum class Tail { kNo, kYes } tail = Tail::kNo;
  std::string source;  // "app", "heroku"; "" for all
  std::string dyno;    // "web.1", "web"; "" for all
};
// A tail goes on when the platform comes back.
Done show_logs(CommandContext& context, std::string app, LogRequest request);

// buildpack_commands.cc. A name that the platform does not know is refused by it, with those that there are.
Done list_buildpacks(CommandContext& context, std::string app, Format format);
enum class Placing { kReplace, kAdd };
// `index` counts from 1; 0 for none: the first one is replaced, another is added at the end.
Done place_buildpack(CommandContext& context, std::string app, std::string buildpack, int index,
                     Placing placing, Format format);
// By name or by index.
Done remove_buildpack(CommandContext& context, std::string app, std::string buildpack, int index,
                      Format format);
Done clear_buildpacks(CommandContext& context, std::string app, Format format);
// Of an app that was just made.
Done set_first_buildpack(CommandContext& context, std::string app, std::string buildpack);
Done purge_build_cache(CommandContext& context, std::string app);

// release_commands.cc; pairs are "KEY=value"
Done show_config(CommandContext& context, std::string app, Format format);
// The value alone, for scripts.
Done get_config(CommandContext& context, std::string app, std::string name);
Done set_config(CommandContext& context, std::string app, std::vector<std::string> pairs);
Done unset_config(CommandContext& context, std::string app, std::vector<std::string> names);
Done list_releases(CommandContext& context, std::string app);
// "" rolls back to the last release before the present one that came up.
Done rollback(CommandContext& context, std::string app, std::string version);
Done list_builds(CommandContext& context, std::string app);
Done show_build(CommandContext& context, std::string app, std::string id);
Done show_build_details(CommandContext& context, std::string app, std::string id);

// Pure: of what the API lists.
std::vector<std::string> read_buildpacks(const json::Value& installations);
// Pure: the list after the change; the error says why there is none.
Result<std::vector<std::string>> place_buildpack(std::vector<std::string> present, std::string buildpack,
                                                 int index, Placing placing);
Result<std::vector<std::string>> take_buildpack(std::vector<std::string> present,
                                                const std::string& buildpack, int index,
                                                const std::string& app);
// Pure: what people are told of it; `what` is "set", "added", "removed".
std::string describe_change(const std::string& app, const std::vector<std::string>& buildpacks,
                            std::string_view what);
// Pure: "web", "4" of "web=4"; the error says what is wrong with a piece.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);
// What a change of a process type's dynos asks for: a number, or so many more or less than there are.
struct QuantityChange {
  std::string type;
  enum class Kind { kTo, kMore, kLess } kind = Kind::kTo;
  int64_t count = 0;
  std::string size = "";  // "" for as it is
};
// Pure: of "web=4", "web+1", "web-1", each with a size or without ("web=4:Basic").
Result<QuantityChange> parse_quantity(std::string_view text);
// Pure: the number after the change.
Result<int64_t> apply_quantity(const QuantityChange& change, int64_t present);
// Pure: "web=4:Basic worker=0:Basic", which `scale` takes again; "" for no process types.
std::string describe_quantities(const json::Value& formation);
// Pure: "web at 4:Basic", of the process types that were to change, as the API shows the formation.
std::string describe_scaled(const json::Value& formation, const std::vector<QuantityChange>& changes);
// Pure: the app in "http://localhost:8080/shop.git"; "" when it is no such address.
std::string app_of_remote(std::string_view url);
// Pure: the names of the remotes that lead to `url`, of what `git remote -v` prints.
std::vector<std::string> remotes_of_url(std::string_view listing, std::string_view url);
// Pure: "v2", the last of an app's releases, as the API shows them, that came up before the present one and
// has a build; "" for none.
std::string find_rollback(const json::Value& releases);
using Facts = std::vector<std::pair<std::string, std::string>>;  // by label, in the order they are shown
// Pure: of a release, as the API shows it.
Facts describe_release(const json::Value& release, WallTime now);
// Pure: all dynos, as the API shows them, each command of each release under its heading.
std::string describe_dynos(const json::Value& dynos, WallTime now);
// Pure: "2026/01/02 03:04:05 +0000 (~ 5m ago)", as `heroku ps` has it.
std::string describe_time(std::string_view rfc3339, WallTime now);
// Pure: the one of `commands` that a mistyped `word` was meant to be; "" when none is near.
std::string nearest_command(std::string_view word, const std::vector<std::string>& commands);
// Pure: `path` as seen from the folder `from`; without "." and "..", symbolic links stay.
std::string absolute_path(std::string_view path, std::string_view from);
// Pure: NAME='value' as a shell reads it.
std::string shell_assignment(std::string_view name, std::string_view value);
// "/apps/shop/releases"
std::string app_path(const std::string& app, std::string_view rest = "");

}  // namespace skiff::cli
