// The machine around a simulated pod: no disk, no network. Also an image service that has every image, and a
// prober that says what the test wants.
#pragma once

#include <map>
#include <set>

#include "node/images/image_service.h"
#include "node/pod/pod_host.h"
#include "node/pod/prober.h"

namespace skiff::node {

class FakePodHost final : public PodHost {
 public:
  std::optional<Error> set_up_error;
  std::optional<Error> spec_error;
  std::set<std::string> alive_pods;
  std::optional<MonotonicTime> started;      // as noted at the first set-up of every pod
  std::map<std::string, int> oldest_output;  // the attempt of each container before which none is left
  bool sending = false;                      // every pod has unsent data
  int set_ups = 0;                           // asked for

  io::Task<Result<PodGround>> set_up(json::Value pod) override {
    ++set_ups;
    if (set_up_error) co_return std::unexpected(*set_up_error);
    const auto uid = pod["metadata"]["uid"].str();
    if (alive_pods.insert(uid).second) ++sandboxes_;
    PodGround ground;
    ground.ip = "10.42.0." + std::to_string(2 + next_++ % 250);
    ground.sandbox_number = sandboxes_;
    ground.started = started;
    co_return ground;
  }
  bool alive(const json::Value& pod) override { return alive_pods.contains(pod["metadata"]["uid"].str()); }
  io::Task<void> refresh(json::Value) override { co_return; }
  io::Task<Result<void>> tear_down(json::Value pod, Unsent unsent) override {
    if (sending && unsent == Unsent::kKeep) co_return fail(Code::kUnavailable, "data is still being sent");
    alive_pods.erase(pod["metadata"]["uid"].str());
    co_return Result<void>();
  }
  io::Task<Result<void>> remove(json::Value) override { co_return Result<void>(); }
  io::Task<Result<ContainerSpec>> make_spec(json::Value pod, ContainerDef def, int attempt, Image image,
                                            PodGround ground) override {
    if (spec_error) co_return std::unexpected(*spec_error);
    ContainerSpec spec;
    spec.key = {pod["metadata"]["uid"].str(), def.name, attempt};
    spec.id = container_id(spec.key);
    spec.image = image.name;
    spec.image_id = image.id;
    spec.sandbox_number = ground.sandbox_number;
    co_return spec;
  }
  std::string termination_message(const json::Value&, const ContainerDef&, const ContainerRun&) override {
    return "";
  }
  io::Task<void> remove_output(json::Value, std::string container, int before) override {
    oldest_output[container] = before;
    co_return;
  }
  io::Task<std::string> pull_credentials(json::Value) override { co_return std::string(); }

 private:
  int next_ = 0, sandboxes_ = 0;
};

class FakeImages final : public ImageService {
 public:
  std::map<std::string, ImageOutcome> failures;  // by reference
  bool never_ends = false;                       // every fetch

  bool present(const std::string& reference) const override { return !failures.contains(reference); }
  io::Task<ImageOutcome> ensure(std::string reference, std::string, PullPolicy, std::string, Tell) override {
    if (never_ends) {
      co_await std::suspend_always{};
    }
    if (failures.contains(reference)) co_return failures[reference];
    Image image;
    image.name = reference;
    image.id = "sha256:fake";
    ImageOutcome outcome;
    outcome.image = image;
    co_return outcome;
  }
  std::optional<std::string> read_file(const Image&, const std::string&) const override {
    return std::nullopt;
  }
  std::vector<Image> list() const override { return {}; }
};

class FakeProber final : public Prober {
 public:
  ProbeOutcome outcome;  // of every probe from now on
  int probes = 0;
  io::Task<ProbeOutcome> probe(ContainerKey, std::string, json::Value, json::Value, Duration) override {
    ++probes;
    co_return outcome;
  }
};

}  // namespace skiff::node
