// What a power cut must not take: data reaches the disk before a name vouches for it. Blocking: for
// run_blocking().
//
// A rename alone is no promise: after a power cut the new name may be there and the bytes behind it not. So
// whatever is made under a temporary name and then renamed goes through publish(); small files through
// write_file_atomic() of file.h, which does the same.
#pragma once

#include <string>

#include "base/result.h"

namespace skiff::io {

// Syncs the file, or a folder with all that was written on its file system, then gives it its name, which it
// takes from another file, and syncs the folder that holds the name. AlreadyExists when `to` is a folder with
// entries; `from` stays then.
Result<void> publish(const std::string& from, const std::string& to);
// Removes what killed processes left of files that they were writing into the folder with
// write_file_atomic(): NAME.tmpPID-N. What somebody is writing stays, this process or another. For whoever
// owns the folder, when it is opened: nobody else will. Fine when the folder is not there; what can't be
// removed is logged.
void sweep_unpublished(const std::string& folder);
// The file's bytes, or the folder's list of names.
Result<void> sync_path(const std::string& path);
// All that was written so far on the file system that holds `path`: for what other programs wrote.
Result<void> sync_file_system(const std::string& path);

}  // namespace skiff::io
