#include "node/pod/probe_runner.h"

#include "io/sync.h"

namespace skiff::node {

namespace {
constexpr int64_t kDefaultPeriod = 10, kDefaultTimeout = 1, kDefaultFailures = 3;
constexpr Duration kFirstRetry = std::chrono::milliseconds(10);
constexpr Duration kEagerFor = std::chrono::seconds(60);  // a server that takes longer can wait a period
constexpr int kErrorRetries = 3;  // attempts when the probe itself breaks, not what it probes
}  // namespace

std::optional<bool> ProbeTally::add(bool passed) {
  run_ = passed == last_ ? run_ + 1 : 1;
  last_ = passed;
  if (run_ < (passed ? success_ : failure_)) return std::nullopt;
  return passed;
}

ProbeRunner::ProbeRunner(io::Loop& loop, Prober& prober, ContainerKey key, std::string pod_ip,
                         json::Value container, Startup startup, ProbeEvents events)
    : loop_(loop),
      prober_(prober),
      key_(std::move(key)),
      pod_ip_(std::move(pod_ip)),
      container_(std::move(container)),
      events_(std::move(events)),
      scope_(loop) {
  if (startup == Startup::kPending) {
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

// One attempt as the tally counts it; an error of the probe itself, after retries, counts as nothing.
io::Task<std::optional<bool>> ProbeRunner::attempt(ProbeKind kind, json::Value probe, Report report) {
  const Duration limit =
      std::chrono::seconds(std::max<int64_t>(1, probe["timeoutSeconds"].as_int(kDefaultTimeout)));
  for (int i = 0; i < kErrorRetries; ++i) {
    auto outcome = co_await prober_.probe(key_, pod_ip_, container_, probe, limit);
    if (outcome.verdict == ProbeOutcome::Verdict::kError) continue;
    const bool passed = outcome.verdict == ProbeOutcome::Verdict::kSuccess;
    if (!passed && report == Report::kFailures) events_.failed(kind, outcome.message);
    co_return passed;
  }
  co_return std::nullopt;
}

// Tries in the time between two periods, so that a server that has just begun to listen is seen at once.
// Failures do not count: thresholds stay in periods. True when it succeeded.
io::Task<bool> ProbeRunner::try_early(ProbeKind kind, json::Value probe, MonotonicTime next) {
  Duration pause = kFirstRetry;
  while (loop_.now() + pause < next) {
    co_await io::sleep(loop_, pause);
    pause *= 2;
    auto passed = co_await attempt(kind, probe, Report::kNothing);
    if (passed == true) co_return true;
  }
  co_return false;
}

io::Task<void> ProbeRunner::run(ProbeKind kind, json::Value probe) {
  const Duration period =
      std::chrono::seconds(std::max<int64_t>(1, probe["periodSeconds"].as_int(kDefaultPeriod)));
  ProbeTally tally(
      static_cast<int>(std::max<int64_t>(1, probe["successThreshold"].as_int(1))),
      static_cast<int>(std::max<int64_t>(1, probe["failureThreshold"].as_int(kDefaultFailures))));
  const int64_t delay = probe["initialDelaySeconds"].as_int(0);
  if (delay > 0) {
    co_await io::sleep(loop_, std::chrono::seconds(delay));
  }
  const bool eager = kind != ProbeKind::kLiveness && !probe.contains("exec");
  const MonotonicTime begun = loop_.now();
  bool passed_once = false;
  for (;;) {
    if (only_readiness_ && kind != ProbeKind::kReadiness) co_return;
    const MonotonicTime next = loop_.now() + period;
    auto passed = co_await attempt(kind, probe, Report::kFailures);
    if (passed == false && eager && !passed_once && loop_.now() - begun < kEagerFor) {
      auto early = co_await try_early(kind, probe, next);
      if (early) passed = true;
    }
    if (passed) {
      passed_once = passed_once || *passed;
      const auto verdict = tally.add(*passed);
      if (verdict) events_.verdict(kind, *verdict);
      if (verdict && kind == ProbeKind::kStartup && *verdict) {
        scope_.spawn(begin());
        co_return;
      }
      if (verdict && !*verdict && kind != ProbeKind::kReadiness) co_return;
    }
    const Duration left = std::max(next - loop_.now(), Duration{});
    co_await io::sleep(loop_, left);
  }
}

}  // namespace skiff::node
