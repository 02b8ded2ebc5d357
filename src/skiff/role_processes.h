// The roles that run on this machine, of whichever instance, found among its processes.
//
// A command line proves nothing: everybody writes their own. A role is a process of root, in the pid and
// mount namespaces of this one, that runs a binary with the name of this one's; its supervisor is its parent.
#pragma once

#include <string>
#include <vector>

#include "io/file.h"

namespace skiff {

struct RoleProcess {
  std::string data;         // the directory of its instance, as its command line names it
  io::UniqueFd process;     // pidfds: a number may be another's by the time of a signal
  io::UniqueFd supervisor;  // none: its parent is no skiff
};

std::vector<RoleProcess> running_roles();

// Nothing happens to a process that has ended.
void send_signal(const io::UniqueFd& process, int signal);

}  // namespace skiff
