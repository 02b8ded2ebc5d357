// The pause between a pod's deletion and its SIGTERM (or preStop hook), in which the edge stops sending.
// Pure.
//
// A server without a handler dies at SIGTERM, and one with a handler may refuse what it has not accepted yet.
// The edge learns of a deletion when the node does, so a pod that it routes to is told a moment later, when
// no new request can come. The pause is part of the grace period.
#pragma once

#include <optional>

#include "base/json.h"
#include "base/time.h"

namespace skiff::node {

// Seconds (`5`, `1.5`), 0 for none; on a pod that no Ingress leads to it holds as well.
constexpr const char* kStopDelayAnnotation = "skiff.dev/stop-delay";
// Far longer than the edge needs for a new route table (some 10 ms), and long enough for most answers that
// have begun.
constexpr Duration kStopDelay = std::chrono::seconds(2);

// What the annotation asks for; nothing without one, or when it is no number of seconds.
std::optional<Duration> annotated_stop_delay(const json::Value& pod);
// At most half of the grace: the rest is the program's own.
Duration plan_stop_delay(const json::Value& pod, bool routed, Duration grace);
// What of the pause the container's own preStop hook makes: a "sleep" is the same thing.
Duration own_stop_delay(const json::Value& container);

}  // namespace skiff::node
