// The commands about apps on the command line: their names, options and help texts.
#pragma once

#include <functional>
#include <string>

#include "cli/commands.h"

namespace CLI {
class App;
}

namespace skiff::cli {

using AppCommand = std::function<Done(CommandContext&)>;
using Runner = std::function<void(const AppCommand& command)>;

// Adds every command; the one that is chosen goes to `run` while the line is parsed.
void add_app_commands(CLI::App& root, const Runner& run);

}  // namespace skiff::cli
