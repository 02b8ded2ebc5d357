// Files in trees that others made: image layers, volumes, what builds leave. Such a tree may hold links that
// lead anywhere, in the middle of a path too, and may change meanwhile: the kernel follows the path, and
// never out of the tree. Blocking: for run_blocking().
//
//   auto text = read_inside(folder, "out/Procfile", kMaxProcfileBytes);
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"

namespace skiff::io {

enum class Links {
  kRefuse,  // a link anywhere on the way is an error
  kFollow,  // one that stays below the folder is followed; another is an error
};
// openat2(2) of a relative path below a folder that is held open: -1 and errno, which is ELOOP or EXDEV for a
// link that is not followed. Async-signal-safe.
int open_below(int folder, const char* path, int flags, Links links);

struct FoundFile {
  UniqueFd fd;
  int64_t bytes = 0;
};
// A regular file below `folder`, open for reading. Forbidden when a link is on the way, or when it is another
// kind of file: those are not waited for.
Result<FoundFile> open_regular(const std::string& folder, const std::string& path);
// What a regular file holds. ResourceExhausted above the limit.
Result<std::string> read_inside(const std::string& folder, const std::string& path, size_t limit);
// From a descriptor to its end; `name` is for the error.
Result<std::string> read_rest(int fd, const std::string& name, size_t limit);

}  // namespace skiff::io
