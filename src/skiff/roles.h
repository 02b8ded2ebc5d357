// The roles: what each process of an instance runs until it is told to stop.
#pragma once

#include "base/result.h"
#include "io/inherited.h"
#include "skiff/instance.h"

namespace skiff {

// Each blocks until SIGTERM; an error means that the role could not start. What it listens on is taken from
// `sockets` where it is there, else opened.
Result<void> run_control(const Instance& instance, io::InheritedSockets sockets);
Result<void> run_node(const Instance& instance, io::InheritedSockets sockets);
Result<void> run_edge(const Instance& instance, io::InheritedSockets sockets);
Result<void> run_platform(const Instance& instance, io::InheritedSockets sockets);

}  // namespace skiff
