// Files that the instances of a machine share: by hard links where the file systems are the same, else as
// copies. They never change once they are there, so one may have many names; an instance that is removed
// takes nothing from others. Blocking, but for the lock.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

// `to` is either as before or the whole tree `from`, also after a power cut.
Result<void> put_copy(const std::string& from, const std::string& to);
// The same for a file.
Result<void> share_file(const std::string& from, const std::string& to);
// Removes what killed processes left of copies to `folder`, beside it. For who alone makes them.
void remove_partial_copies(const std::string& folder);
// The lock of what the processes of a machine make together; waits while another has it. Its end, however it
// comes, lets the next one go on. Timeout after `limit`.
io::Task<Result<io::UniqueFd>> wait_for_lock(io::Loop& loop, std::string path, Duration limit);

}  // namespace skiff::node
