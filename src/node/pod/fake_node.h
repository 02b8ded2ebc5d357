// All that pods need, simulated: for tests of what runs them.
#pragma once

#include "io/sim_loop.h"
#include "node/api/fake_api.h"
#include "node/pod/fake_pod_host.h"
#include "node/pod/worker.h"
#include "node/runtime/fake_runtime.h"

namespace skiff::node {

struct FakeNode {
  io::SimLoop loop{1};
  FakeApi api{loop};
  FakeRuntime runtime{loop};
  FakeImages images;
  FakePodHost host;
  FakeProber prober;
  EventRecorder events{loop, api, "node1"};

  bool routed = false;  // the edge sends requests to the pods

  WorkerServices services() {
    return {loop,   api,         runtime,
            images, host,        prober,
            events, "192.0.2.2", [this](const json::Value&) { return routed; }};
  }
};

}  // namespace skiff::node
