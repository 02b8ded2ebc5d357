// Bounds a log that another process appends to, while it does.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace skiff::io {

// When the file is larger than `limit` bytes, its last `limit` bytes become PATH.1 and it starts over at its
// first byte: the two are never larger than twice the limit and what is written between two calls. Writers
// have opened the file with O_APPEND and notice nothing, whoever they are; a line that comes between the copy
// and the cut (some microseconds) is lost. A full disk costs the copy, not the bound. Blocking: a copy of
// `limit` bytes.
Result<void> bound_log(const std::string& path, off_t limit);

}  // namespace skiff::io
