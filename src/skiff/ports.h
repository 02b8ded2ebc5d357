// The ports of an instance, looked at before anything starts.
#pragma once

#include "base/result.h"
#include "io/loop.h"
#include "io/task.h"
#include "skiff/instance.h"

namespace skiff {

// The platform listens beside the API, on loopback: two instances with their own ports do not meet.
constexpr uint16_t platform_port_of(const Ports& ports) {
  return static_cast<uint16_t>(ports.kube + 1);
}

// What the instance would listen on: what is asked for, else what it has, else the defaults.
Ports wanted_ports(const InstanceRequest& request);

// InvalidArgument when two of them meet, Unavailable when another program keeps one; the text names the
// option to change. Waits a few seconds for ports to get free: the roles of an instance that was killed may
// still be ending.
io::Task<Result<void>> check_ports(io::Loop& loop, Ports ports);

}  // namespace skiff
