// One pod's life: gathers facts, asks plan_pod(), carries out what it says, writes the status.
//
// Event-driven: it sleeps until the pod object changes, a container ends, a probe changes its mind, an action
// ends or the plan's time comes. Actions run as tasks of its scope; each marks the facts before it starts, so
// that the next plan does not ask for it again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "io/scope.h"
#include "io/sync.h"
#include "node/api/cluster_api.h"
#include "node/events/recorder.h"
#include "node/images/image_service.h"
#include "node/pod/model.h"
#include "node/pod/plan.h"
#include "node/pod/pod_host.h"
#include "node/pod/prober.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

// What every worker shares; all outlive the workers.
struct WorkerServices {
  io::Loop& loop;
  ClusterApi& api;
  Runtime& runtime;
  ImageService& images;
  PodHost& host;
  Prober& prober;
  EventRecorder& events;
  std::string host_ip;
  // True for a pod that the edge routes to: it is told to stop when no new request can come.
  std::function<bool(const json::Value& pod)> routed = [](const json::Value&) { return false; };
};

class ProbeRunner;
enum class ProbeKind;

class PodWorker {
 public:
  // `finished` is called once, in a later step of the loop, when nothing of the pod is left on this node.
  PodWorker(WorkerServices services, json::Value pod, std::function<void()> finished);
  ~PodWorker();

  void update(json::Value pod);
  // The object has gone from the API: what runs is stopped all the same.
  void object_gone();
  void container_ended(const std::string& name);
  void evict(std::string message);
  const json::Value& pod() const { return pod_; }
  const PodFacts& facts() const { return facts_; }

 private:
  void adopt();
  void wake() { changed_.set(); }
  void give_up_pulls();
  io::Task<void> run();
  void carry_out(const Action& action);
  io::Task<void> set_up();
  io::Task<void> refresh_volumes();
  io::Task<void> tear_down();
  io::Task<void> finish();
  io::Task<void> start(std::string name);
  io::Task<bool> create_and_run(ContainerDef def, Image image);
  io::Task<void> stop(std::string name, Duration grace, std::string why);
  io::Task<void> release(ContainerKey key);
  io::Task<bool> run_hook(ContainerDef def, ContainerKey key, std::string hook, Duration limit);
  io::Task<void> write_statuses();
  void began(const ContainerDef& def, ContainerRun run);
  void never_started(const ContainerDef& def, const std::string& message);
  void image_failed(const ContainerDef& def, ContainerFacts& facts, const ImageOutcome& outcome);
  void note_images(const json::Value& before);
  void note_back_off(const std::string& name);
  void on_probe(const std::string& name, ProbeKind kind, bool passed);
  io::Task<void> pre_stop(ContainerDef def, ContainerKey key, Duration grace);
  io::Task<void> let_traffic_end(ContainerDef def, ContainerKey key, Duration grace);
  io::Task<void> stop_step(std::function<bool()> over, MonotonicTime least, MonotonicTime most);
  void start_probes(const ContainerDef& def);
  std::optional<ContainerDef> def_of(const std::string& name) const;
  std::string field(const ContainerDef& def) const;
  void event(const std::string& field, EventRecorder::Type type, const std::string& reason,
             const std::string& text);

  WorkerServices services_;
  json::Value pod_;
  std::function<void()> finished_;
  PodFacts facts_;
  PodGround ground_;
  json::Value wanted_status_;                     // the latest plan's
  json::Value written_status_;                    // the last one the API took
  MonotonicTime stop_by_ = MonotonicTime::max();  // set when a deletion in progress is hurried
  std::optional<MonotonicTime> quiet_at_;         // of a deletion: the edge sends nothing from then on
  bool done_ = false;
  int sandbox_failures_ = 0;
  std::map<std::string, int> pull_failures_;
  std::map<std::string, std::unique_ptr<ProbeRunner>> probes_;
  std::set<std::string> pulling_;  // containers that wait for their image
  io::Event changed_, status_changed_, stop_changed_;
  std::map<std::string, std::unique_ptr<io::TaskScope>> starts_;  // by container
  io::TaskScope scope_;
};

}  // namespace skiff::node
