// The commands about apps: each talks to the Platform API and prints for people.
#pragma once

#include <string>
#include <vector>

#include "cli/platform_client.h"

namespace skiff::cli {

struct Console {
  std::function<void(std::string_view)> out;
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

io::Task<Result<void>> create_app(CommandContext& context, std::string name);
io::Task<Result<void>> list_apps(CommandContext& context);
io::Task<Result<void>> destroy_app(CommandContext& context, std::string app);
// "web=4 worker=1"
io::Task<Result<void>> scale(CommandContext& context, std::string app, std::vector<std::string> changes);
io::Task<Result<void>> list_dynos(CommandContext& context, std::string app);
io::Task<Result<void>> show_config(CommandContext& context, std::string app);
// "KEY=value" pairs.
io::Task<Result<void>> set_config(CommandContext& context, std::string app, std::vector<std::string> pairs);
io::Task<Result<void>> unset_config(CommandContext& context, std::string app, std::vector<std::string> names);
io::Task<Result<void>> list_releases(CommandContext& context, std::string app);
// "" rolls back to the release before the present one.
io::Task<Result<void>> rollback(CommandContext& context, std::string app, std::string version);
enum class Tail { kNo, kYes };
io::Task<Result<void>> show_logs(CommandContext& context, std::string app, int lines, Tail tail);

// Pure: {"web": 4} of "web=4"; the error says what is wrong with a piece.
Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text);

}  // namespace skiff::cli
