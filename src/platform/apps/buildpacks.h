// Which buildpacks build an app: an ordered list in the App's spec, set with `skiff buildpacks:set`. Pure.
//
// An entry is a built-in buildpack by its name (heroku/go, heroku-community/apt, skiff/cpp) or the http(s)
// address of a git repository or an archive, with an optional #branch or tag. An address may hold a password:
// nobody is shown it again, and an entry that comes back without it (`***`) means the one that the app has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace skiff::platform {

constexpr size_t kMaxBuildpacks = 20;        // of an app; each is a script that runs at each push
constexpr size_t kMaxBuildpackBytes = 1024;  // of one name or address

// The entry for what somebody wrote: "urn:buildpack:" goes, a bare "go" is "heroku/go". The error names those
// that there are, or says what is wrong with the address.
Result<std::string> parse_buildpack(std::string_view text);
// The entry without the user and password of its address.
std::string show_buildpack(std::string_view entry);
// What the body of a PUT, {"updates": [{"buildpack": "heroku/go"}]}, makes of the present entries.
Result<std::vector<std::string>> parse_buildpack_updates(const json::Value& body,
                                                         const std::vector<std::string>& present);
// As Heroku's API lists them: [{"ordinal": 0, "buildpack": {"name": ..., "url": ...}}].
json::Value buildpack_installations(const std::vector<std::string>& entries);
// One a line, as the build reads them.
std::string buildpack_lines(const std::vector<std::string>& entries);

}  // namespace skiff::platform
