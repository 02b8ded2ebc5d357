// An instance from its start to its stop, in the process that supervises it.
#pragma once

#include <string>

#include "base/result.h"
#include "skiff/instance.h"
#include "skiff/sockets.h"

namespace skiff {

// Of the supervisor, while it runs.
inline std::string pid_file(const std::string& data) {
  return data + "/run/skiff.pid";
}
// There from the moment on when all roles serve.
inline std::string ready_file(const std::string& data) {
  return data + "/run/ready";
}
// What a line about a start that takes long begins with: the role, and what it said last.
constexpr const char* kWaitingFor = "waiting for ";
std::string ready_text(const Instance& instance);

// Starts every role, prints one `ready` line when all answer, and stops them at SIGTERM or SIGINT. The caller
// holds the instance's lock until this ends.
Result<void> run_instance(const Instance& instance, Sockets sockets);

}  // namespace skiff
