// Text of others on a person's terminal: an app's name of a command, a config var, a release's description.
#pragma once

#include <string>
#include <string_view>

namespace skiff::cli {

// The text with what would steer a terminal or change the order of what is read written out: control
// characters but line ends and tabs, those of C1 (U+0080 to U+009F), line and paragraph separators, marks of
// writing direction, and bytes that are no UTF-8, as \x1b or \u202e.
std::string printable(std::string_view text);

}  // namespace skiff::cli
