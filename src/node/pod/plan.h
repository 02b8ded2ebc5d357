// The pod state machine: pure. Called after every event; actions already under way are in the facts, so
// calling it twice never does a thing twice.
//
//   sandbox: none → setting up → ready → tearing down → gone
//   inits in order, then apps; a container: (waiting) → starting → running → exited → starting …
//   deletion, deadline, eviction or a terminal phase: stop apps, then sidecars in reverse order → tear down →
//   finish
#pragma once

#include "node/pod/model.h"

namespace skiff::node {

Plan plan_pod(const json::Value& pod, const PodFacts& facts, Moment now);

// How long after the end of a container its next start waits: none, then 10 s doubling to 300 s.
Duration restart_delay(int crashes);
constexpr Duration kBackOffReset = std::chrono::seconds(600);  // a run this long forgets earlier crashes
constexpr Duration kMinimumGrace =
    std::chrono::seconds(2);  // what a container is left after its preStop hook

// Seconds of grace: the deletion's, else the spec's.
Duration grace_period(const json::Value& pod);
// True when the pod names another image than this attempt was made from.
bool is_outdated(const ContainerDef& def, const ContainerRun& run);
// True when the container should run again after this end. The restart policy is about the program that
// ended: another image runs whatever it says.
bool should_restart(const json::Value& pod, const ContainerDef& def, const ContainerRun& run);

}  // namespace skiff::node
