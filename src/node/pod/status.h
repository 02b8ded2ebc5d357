// The status document of a pod, from facts: pure.
#pragma once

#include "node/pod/model.h"
#include "node/pod/phase.h"

namespace skiff::node {

struct StatusInput {
  const json::Value& pod;
  const PodFacts& facts;
  PodEnd end = PodEnd::kOpen;
  std::string forced_reason = {}, forced_message = {};  // DeadlineExceeded, Evicted: phase Failed
};
json::Value make_status(const StatusInput& input, Moment now);

// Guaranteed, Burstable or BestEffort.
std::string qos_class(const json::Value& spec);

// The message of CrashLoopBackOff.
std::string crash_loop_message(const json::Value& pod, const std::string& container, Duration delay);

// Until then a container that ended is shown as ended, afterwards as waiting for its restart.
constexpr Duration kShowEnd = std::chrono::seconds(1);

}  // namespace skiff::node
