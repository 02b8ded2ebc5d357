// Starts the roles of an instance as processes of this binary and restarts one that dies.
//
// A role gets SIGTERM when the supervisor stops; should the supervisor be killed, the kernel sends it to the
// roles (PR_SET_PDEATHSIG in the role). Containers are nobody's child here: they go on.
#pragma once

#include <string>
#include <vector>

#include "io/loop.h"
#include "io/process.h"
#include "io/scope.h"

namespace skiff {

class Supervisor {
 public:
  // `command` is put before the role's name: {"/usr/bin/skiff", "role"}; `arguments` after it.
  Supervisor(io::Loop& loop, std::vector<std::string> command, std::vector<std::string> arguments,
             std::string log_directory);
  void start(const std::string& role);
  // SIGTERM to all, SIGKILL to those left after kStopGrace.
  io::Task<void> stop();

 private:
  struct Role {
    std::string name;
    std::unique_ptr<io::Process> process;
  };
  static io::Task<void> keep_running(Supervisor* self, Role* role);
  Result<std::unique_ptr<io::Process>> spawn(const std::string& role);

  io::Loop& loop_;
  std::vector<std::string> command_;
  std::vector<std::string> arguments_;
  std::string log_directory_;
  std::vector<std::unique_ptr<Role>> roles_;
  bool stopping_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff
