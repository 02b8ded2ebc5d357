#include "node/pod/probe_runner.h"

#include "io/sync.h"

namespace skiff::node {

namespace {
constexpr int64_t kDefaultPeriod = 10, kDefaultTimeout = 1, kDefaultFailures = 3;
constexpr int kErrorRetries = 3;  // attempts when the probe itself breaks, not what it probes
}  // namespace

std::optional<bool> ProbeTally::add(bool passed) {
  run_ = passed == last_ ? run_ + 1 : 1;
  last_ = passed;
  if (run_ < (passed ? success_ : failure_)) return std::nullopt;
  return passed;
}

ProbeRunner::ProbeRunner(io::Loop& loop, Prober& prober, ContainerKey key, std::string pod_ip,
                         json::Value container, ProbeEvents events)
    : loop_(loop),
      prober_(prober),
      key_(std::move(key)),
      pod_ip_(std::move(pod_ip)),
      container_(std::move(container)),
      events_(std::move(events)),
      scope_(loop) {
  if (container_.contains("startupProbe")) {
    scope_.spawn(run(ProbeKind::kStartup, container_["startupProbe"]));
  } else {
    scope_.spawn(begin());
  }
}

void ProbeRunner::only_readiness() {
  only_readiness_ = true;
}

io::Task<void> ProbeRunner::begin() {
  if (container_.contains("livenessProbe"))
    scope_.spawn(run(ProbeKind::kLiveness, container_["livenessProbe"]));
  if (container_.contains("readinessProbe"))
    scope_.spawn(run(ProbeKind::kReadiness, container_["readinessProbe"]));
  co_return;
}

io::Task<void> ProbeRunner::run(ProbeKind kind, json::Value probe) {
  const Duration period =
      std::chrono::seconds(std::max<int64_t>(1, probe["periodSeconds"].as_int(kDefaultPeriod)));
  const Duration limit =
      std::chrono::seconds(std::max<int64_t>(1, probe["timeoutSeconds"].as_int(kDefaultTimeout)));
  ProbeTally tally(
      static_cast<int>(std::max<int64_t>(1, probe["successThreshold"].as_int(1))),
      static_cast<int>(std::max<int64_t>(1, probe["failureThreshold"].as_int(kDefaultFailures))));
  const int64_t delay = probe["initialDelaySeconds"].as_int(0);
  if (delay > 0) co_await io::sleep(loop_, std::chrono::seconds(delay));
  for (;;) {
    if (stopped_ || (only_readiness_ && kind != ProbeKind::kReadiness)) co_return;
    const MonotonicTime begun = loop_.now();
    ProbeOutcome outcome;
    for (int attempt = 0; attempt < kErrorRetries; ++attempt) {
      outcome = co_await prober_.probe(key_, pod_ip_, container_, probe, limit);
      if (outcome.verdict != ProbeOutcome::Verdict::kError) break;
    }
    if (outcome.verdict != ProbeOutcome::Verdict::kError) {
      const bool passed = outcome.verdict == ProbeOutcome::Verdict::kSuccess;
      if (!passed) events_.failed(kind, outcome.message);
      const auto verdict = tally.add(passed);
      if (verdict) events_.verdict(kind, *verdict);
      if (verdict && kind == ProbeKind::kStartup && *verdict) {
        scope_.spawn(begin());
        co_return;
      }
      if (verdict && !*verdict && kind != ProbeKind::kReadiness) co_return;
    }
    const Duration used = loop_.now() - begun;
    co_await io::sleep(loop_, used < period ? period - used : Duration{});
  }
}

}  // namespace skiff::node
