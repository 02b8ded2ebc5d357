// Which pod serves a request: the less busy of two drawn at random, which needs no view of all pods and yet
// never piles requests on a slow one. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "edge/routes.h"

namespace skiff::edge {

// What a worker knows of a pod's address; times in ms of the worker's clock.
struct PodLoad {
  int outstanding = 0;            // requests it serves for this worker
  int64_t quarantined_until = 0;  // it refused a connection before
};

// `load_of(endpoint)` gives the pod's PodLoad. Pods in quarantine are taken when there is no other; null only
// without any pod.
template <typename LoadOf>
const Endpoint* pick_endpoint(const App& app, int64_t now, Random& random, LoadOf load_of) {
  const auto& all = app.ready.empty() ? app.serving : app.ready;
  if (all.empty()) return nullptr;
  if (all.size() == 1) return &all[0];
  const Endpoint* best = nullptr;
  int best_load = 0;
  for (int i = 0; i < 2; ++i) {
    const Endpoint& one = all[random.below(all.size())];
    const PodLoad& load = load_of(one);
    if (load.quarantined_until > now) continue;
    if (best != nullptr && load.outstanding >= best_load) continue;
    best = &one;
    best_load = load.outstanding;
  }
  if (best != nullptr) return best;
  for (const Endpoint& one : all) {
    if (load_of(one).quarantined_until <= now) return &one;
  }
  return &all[random.below(all.size())];
}

}  // namespace skiff::edge
