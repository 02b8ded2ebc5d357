// The probes of one running container: startup, then liveness and readiness side by side (contract 4.5).
#pragma once

#include <functional>
#include <string>

#include "io/scope.h"
#include "node/pod/model.h"
#include "node/pod/prober.h"

namespace skiff::node {

enum class ProbeKind { kStartup, kLiveness, kReadiness };

// Consecutive outcomes against the thresholds: pure.
class ProbeTally {
 public:
  ProbeTally(int success_threshold, int failure_threshold)
      : success_(success_threshold), failure_(failure_threshold) {}
  // The verdict when this outcome decides one.
  std::optional<bool> add(bool passed);

 private:
  int success_, failure_;
  int run_ = 0;
  bool last_ = false;
};

struct ProbeEvents {
  // A verdict was reached; the runner goes on.
  std::function<void(ProbeKind, bool passed)> verdict;
  // An attempt failed: for the Unhealthy event.
  std::function<void(ProbeKind, const std::string& message)> failed;
};

// Whether a startup probe has still to succeed; it is not asked again when it once has.
enum class Startup { kPending, kPassed };

class ProbeRunner {
 public:
  ProbeRunner(io::Loop& loop, Prober& prober, ContainerKey key, std::string pod_ip, json::Value container,
              Startup startup, ProbeEvents events);
  // Deletion of the pod ends all but readiness.
  void only_readiness();

 private:
  io::Task<void> run(ProbeKind kind, json::Value probe);
  io::Task<void> begin();
  enum class Report { kFailures, kNothing };
  io::Task<std::optional<bool>> attempt(ProbeKind kind, json::Value probe, Report report);
  io::Task<bool> try_early(ProbeKind kind, json::Value probe, MonotonicTime next);
  io::Loop& loop_;
  Prober& prober_;
  ContainerKey key_;
  std::string pod_ip_;
  json::Value container_;
  ProbeEvents events_;
  bool only_readiness_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff::node
