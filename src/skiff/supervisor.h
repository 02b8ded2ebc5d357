// Starts the roles of an instance as processes of this binary, holds their listening sockets, and restarts
// one that dies or stands still.
//
// Each run of a role inherits the same listening sockets: while none runs, clients wait in their queues
// (io/inherited.h). A role whose loops don't turn is killed after kPatience looks, its stack in its log
// (io/pulse.h); one of another version, after the binary was replaced, runs unwatched. A role gets SIGTERM
// when the supervisor stops; should the supervisor be killed, the kernel sends it to the roles
// (PR_SET_PDEATHSIG in the role). Containers are nobody's child here: they go on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/file.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/pulse.h"
#include "io/scope.h"
#include "io/stream.h"

namespace skiff {

// A listening socket that is held for a role.
struct HeldSocket {
  io::Address address;
  io::UniqueFd fd;
};

class Supervisor {
 public:
  // `command` is put before the role's name: {"/usr/bin/skiff", "role"}; `arguments` after it.
  Supervisor(io::Loop& loop, std::vector<std::string> command, std::vector<std::string> arguments,
             std::string log_directory);
  void start(const std::string& role, std::vector<HeldSocket> sockets);
  // True while each role runs and has said that it serves, if its version can say so.
  bool all_ready() const { return waiting().empty(); }
  // The roles of which that is not true.
  std::vector<std::string> waiting() const;
  // SIGTERM to all, SIGKILL to those left after kStopGrace.
  io::Task<void> stop();

 private:
  struct Role {
    std::string name;
    std::vector<HeldSocket> sockets;
    std::unique_ptr<io::Process> process = nullptr;
    std::optional<io::PulseBoard> board = std::nullopt;
    std::optional<io::PulseWatch> watch = std::nullopt;
    int looks_at_start = 0;
    MonotonicTime started_at{};
    // Since when it serves: as it says, or since its start when it is of a version that can't say so here.
    std::optional<MonotonicTime> ready_at() const;
  };
  static io::Task<void> keep_running(Supervisor* self, Role* role);
  static io::Task<void> watch_roles(Supervisor* self);
  io::Task<void> end_if_stuck(Role* role);
  io::Task<std::vector<uintptr_t>> await_stack(Role* role, pid_t process, size_t seat);
  io::Task<void> end_stuck(Role* role, int32_t thread, size_t seat);
  Result<std::unique_ptr<io::Process>> spawn(Role& role);
  std::string log_of(const Role& role) const { return log_directory_ + "/" + role.name + ".log"; }

  io::Loop& loop_;
  std::vector<std::string> command_;
  std::vector<std::string> arguments_;
  std::string log_directory_;
  std::vector<std::unique_ptr<Role>> roles_;
  bool stopping_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff
