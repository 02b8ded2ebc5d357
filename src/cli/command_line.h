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

// Parses the line and thereby runs the command. The exit code: 0, or 2 after telling what of the line is
// wrong.
int parse_command_line(CLI::App& root, int argc, char** argv);

}  // namespace skiff::cli
