// Runs one probe attempt or hook action: exec, httpGet, tcpSocket. An interface for the simulation's sake.
#pragma once

#include <string>

#include "base/json.h"
#include "io/task.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

struct ProbeOutcome {
  enum class Verdict { kSuccess, kFailure, kError } verdict = Verdict::kSuccess;
  std::string message;
};

class Prober {
 public:
  virtual ~Prober() = default;
  // `action` is a probe or lifecycle handler; `container` resolves named ports.
  virtual io::Task<ProbeOutcome> probe(ContainerKey key, std::string pod_ip, json::Value container,
                                       json::Value action, Duration limit) = 0;
};

// A port by number or by name of the container's ports; 0 when unknown.
uint16_t resolve_port(const json::Value& container, const json::Value& port);

}  // namespace skiff::node
