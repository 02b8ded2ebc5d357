#include "platform/builds/submodules.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"

namespace skiff::platform {

namespace {

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// A path below the app's folder, by names that no file system takes for something else.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxSubmodulePath || path.front() == '/') return false;
  if (std::ranges::any_of(path,
                          [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\' || c == '"'; }))
    return false;
  const auto parts = split(path, '/');
  return std::ranges::all_of(parts, [](const std::string& part) {
    return !part.empty() && part != "." && part != ".." && to_lower(part) != ".git" && part.front() != '-';
  });
}

std::string shown(std::string_view path) {
  constexpr size_t kShown = 100;
  std::string out(path.substr(0, kShown));
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

}  // namespace

Result<std::vector<Submodule>> parse_submodules(std::string_view lines) {
  std::vector<Submodule> out;
  if (lines.size() > kMaxSubmoduleBytes) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("the paths of the commit's submodules take more than {} KB", kMaxSubmoduleBytes >> 10));
  }
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto halves = split_once(line, " ");
    if (!is_commit(halves.before)) {
      return fail(Code::kInvalidArgument, "what git says of the commit's submodules can't be read");
    }
    if (!is_plain_path(halves.after)) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("the path of the submodule {} can't be fetched to: a path has no control characters, "
                      "quotes, backslashes, \"..\" or \".git\", and no name in it begins with a dash",
                      shown(halves.after)));
    }
    if (out.size() == kMaxSubmodules) {
      return fail(Code::kInvalidArgument,
                  fmt::format("the commit has more than {} submodules", kMaxSubmodules));
    }
    out.push_back({std::string(halves.before), std::string(halves.after)});
  }
  return out;
}

std::string encode_submodules(const std::vector<Submodule>& submodules) {
  std::string out;
  for (const auto& [commit, path] : submodules) out += fmt::format("{} {}\n", commit, path);
  return out;
}

}  // namespace skiff::platform
