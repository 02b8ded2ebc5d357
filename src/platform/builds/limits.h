// What a push and its build may use. An operator changes them in DATA/platform/build-limits.json, read at
// each push.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace skiff::platform {

struct BuildLimits {
  int64_t seconds = 15 * 60;        // as Heroku
  int64_t memory_mb = 3 << 10;      // of all processes of a build
  int64_t disk_mb = 4 << 10;        // all that a build writes, its cache included
  int64_t slug_mb = 1500;           // as it lies on the disk; Heroku's 500 MB are compressed
  int64_t output_kb = 8 << 10;      // of a build's text that the pusher gets to see
  int64_t push_mb = 1 << 10;        // a push's pack, and the files of its commit
  int64_t repository_mb = 4 << 10;  // of an app's repository, before a push
  int64_t git_memory_mb = 512;      // of all processes that read one push
  int64_t git_seconds = 10 * 60;    // of the processor, for each of them
};

// A JSON object that names some of the members: {"seconds": 60, "diskMb": 512}. Unknown names are errors.
Result<BuildLimits> parse_build_limits(std::string_view text);
// The limits of the file in `data` (DATA/platform); the defaults when there is no file.
Result<BuildLimits> read_build_limits(const std::string& data);

// How an operator raises a bound, for people: `raise "seconds" (900) in DATA/platform/build-limits.json`.
std::string how_to_raise(std::string_view name, int64_t value);

// "15 minutes", "20 seconds"; "3 GB", "64 MB": for people.
std::string describe_seconds(int64_t seconds);
std::string describe_megabytes(int64_t megabytes);

}  // namespace skiff::platform
