#include "control/sim_fleet.h"

#include <fmt/core.h>

#include "io/sync.h"

namespace skiff::control {

namespace {

constexpr Duration kRenewEvery = std::chrono::seconds(10);
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

std::string node_name(int number) {
  return fmt::format("node-{:04}", number);
}

Value condition(const char* type, const std::string& at) {
  return Value::object({{"type", type}, {"status", "True"}, {"lastTransitionTime", at}});
}

Value make_node(int number, const std::string& at) {
  const auto room = Value::object({{"cpu", "32"}, {"memory", "128Gi"}, {"pods", "110"}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata",
        Value::object({{"name", node_name(number)},
                       {"labels", Value::object({{"kubernetes.io/hostname", node_name(number)}})}})},
       {"status", Value::object({{"capacity", room},
                                 {"allocatable", room},
                                 {"conditions", Value::array({condition("Ready", at)})}})}});
}

Value make_lease(int number, const std::string& at) {
  return Value::object({{"apiVersion", "coordination.k8s.io/v1"},
                        {"kind", "Lease"},
                        {"metadata", Value::object({{"name", node_name(number)}})},
                        {"spec", Value::object({{"holderIdentity", node_name(number)},
                                                {"leaseDurationSeconds", 40},
                                                {"renewTime", at}})}});
}

Value ready_status(const std::string& address, const std::string& at) {
  return Value::object(
      {{"phase", "Running"},
       {"podIP", address},
       {"podIPs", Value::array({Value::object({{"ip", address}})})},
       {"startTime", at},
       {"conditions", Value::array({condition("PodScheduled", at), condition("Initialized", at),
                                    condition("ContainersReady", at), condition("Ready", at)})}});
}

std::string pod_path(const Value& pod) {
  return path_of("/api/v1", "pods", namespace_of(pod), name_of(pod));
}

}  // namespace

SimFleet::SimFleet(io::Loop& loop, kube::Client& client, FleetOptions options)
    : loop_(loop), client_(client), options_(options), scope_(loop) {}

void SimFleet::start() {
  scope_.spawn(run(this));
}

Duration SimFleet::vary(Duration delay) {
  const auto half = static_cast<uint64_t>(delay.count() / 2);
  return Duration(static_cast<int64_t>(half + loop_.random().below(half + 1)));
}

template <typename T>
void SimFleet::note(const Result<T>& result) {
  if (!result && result.error().code != Code::kNotFound && result.error().code != Code::kConflict) {
    ++failures_;
  }
}

io::Task<void> SimFleet::run(SimFleet* self) {
  for (int i = 0; i < self->options_.nodes; ++i) co_await register_node(self, i);
  self->registered_ = true;
  self->scope_.spawn(renew_leases(self));
  const kube::ChangeCallback on_change = [self](const kube::ObjectChange& change) { self->on_pod(change); };
  co_await self->client_.follow("/api/v1/pods", "", on_change);
}

io::Task<void> SimFleet::register_node(SimFleet* self, int number) {
  const auto node = make_node(number, format_rfc3339(self->loop_.wall_now()));
  auto made = co_await self->client_.create("/api/v1/nodes", node);
  if (!made) ++self->failures_;
  const auto path = "/api/v1/nodes/" + node_name(number) + "/status";
  const auto status = Value::object({{"status", node["status"]}});
  auto reported = co_await self->client_.patch(path, kube::PatchType::kMerge, status);
  if (!reported) ++self->failures_;
  const auto lease = make_lease(number, format_rfc3339_micro(self->loop_.wall_now()));
  auto leased = co_await self->client_.create(kLeases, lease);
  if (!leased) ++self->failures_;
}

io::Task<void> SimFleet::renew_leases(SimFleet* self) {
  for (;;) {
    co_await io::sleep(self->loop_, kRenewEvery);
    for (int i = 0; i < self->options_.nodes; ++i) {
      const auto path = std::string(kLeases) + "/" + node_name(i);
      const auto spec = Value::object({{"renewTime", format_rfc3339_micro(self->loop_.wall_now())}});
      auto renewed =
          co_await self->client_.patch(path, kube::PatchType::kMerge, Value::object({{"spec", spec}}));
      if (!renewed) ++self->failures_;
    }
  }
}

void SimFleet::on_pod(const kube::ObjectChange& change) {
  const auto& pod = change.object;
  const auto& uid = uid_of(pod);
  if (change.kind == kube::ObjectChange::Kind::kRemoved) {
    starting_.erase(uid);
    stopping_.erase(uid);
    running_.erase(uid);
    return;
  }
  if (change.kind != kube::ObjectChange::Kind::kUpsert || pod["spec"]["nodeName"].empty()) return;
  if (is_deleting(pod)) {
    running_.erase(uid);
    if (stopping_.insert(uid).second) scope_.spawn(stop_pod(this, pod_path(pod), uid));
  } else if (is_pod_ready(pod)) {
    running_.insert(uid);
  } else if (starting_.insert(uid).second) {
    const auto delay =
        options_.ready_after ? options_.ready_after(pod) : std::optional(vary(options_.start_delay));
    if (delay) scope_.spawn(start_pod(this, pod_path(pod), uid, *delay));
  }
}

io::Task<void> SimFleet::start_pod(SimFleet* self, std::string path, std::string uid, Duration delay) {
  co_await io::sleep(self->loop_, delay);
  if (self->stopping_.contains(uid)) co_return;
  const auto n = ++self->last_address_;
  const auto address = fmt::format("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255);
  const auto patch =
      Value::object({{"metadata", Value::object({{"uid", uid}})},
                     {"status", ready_status(address, format_rfc3339(self->loop_.wall_now()))}});
  auto written = co_await self->client_.patch(path + "/status", kube::PatchType::kMerge, patch);
  self->note(written);
}

io::Task<void> SimFleet::stop_pod(SimFleet* self, std::string path, std::string uid) {
  co_await io::sleep(self->loop_, self->vary(self->options_.stop_delay));
  const auto options =
      Value::object({{"gracePeriodSeconds", 0}, {"preconditions", Value::object({{"uid", uid}})}});
  auto removed = co_await self->client_.remove(path, options);
  self->note(removed);
}

}  // namespace skiff::control
