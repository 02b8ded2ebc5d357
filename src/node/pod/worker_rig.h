// A pod's worker on a node of fakes: for tests of what it does over a pod's life.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "node/pod/fake_node.h"
#include "node/pod/phase.h"
#include "node/pod/worker.h"

namespace skiff::node {

constexpr const char* kPath = "/api/v1/namespaces/n/pods/p";

struct WorkerRig : FakeNode {
  bool finished = false;
  std::unique_ptr<PodWorker> worker;
  io::TaskScope scope{loop};

  explicit WorkerRig(const char* spec, std::optional<Error> spec_error = {}) {
    host.spec_error = std::move(spec_error);
    auto pod = json::Value::object({{"apiVersion", "v1"}, {"kind", "Pod"}});
    pod.set("metadata", *json::parse(R"({"name":"p","namespace":"n","uid":"u1"})"));
    pod.set("spec", *json::parse(spec));
    api.put(kPath, pod);
    runtime.on_exit([this](const ContainerKey& key) {
      if (worker) worker->container_ended(key.name);
    });
    launch();
    scope.spawn(api.follow("/api/v1/namespaces/n/pods", "", [this](const ObjectChange& change) {
      if (!worker) return;
      if (change.kind == ObjectChange::Kind::kUpsert) worker->update(change.object);
      if (change.kind == ObjectChange::Kind::kRemoved) worker->object_gone();
    }));
  }
  void launch() {
    worker = std::make_unique<PodWorker>(services(), api.find(kPath), [this] { finished = true; });
  }
  void pass(Duration time) { loop.advance(time); }
  json::Value status() { return api.find(kPath)["status"]; }
  json::Value container(size_t index = 0) { return status()["containerStatuses"].at(index); }
  bool ready() { return find_named(status()["conditions"], "Ready", "type")["status"].str() == "True"; }
  int event_count(const std::string& reason) {
    int count = 0;
    for (const auto& event : api.list("/api/v1/namespaces/n/events")) {
      if (event["reason"].str() == reason) count += static_cast<int>(event["count"].as_int());
    }
    return count;
  }
};

constexpr const char* kOne = R"({"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":5})";

}  // namespace skiff::node
