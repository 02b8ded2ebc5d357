#include "node/agent/heartbeat.h"

#include "base/log.h"
#include "io/sync.h"
#include "node/agent/disk_pressure.h"
#include "node/pod/phase.h"

namespace skiff::node {

namespace {

constexpr Duration kRetry = std::chrono::milliseconds(200);
constexpr Duration kLeasePeriod = std::chrono::seconds(10);
constexpr Duration kLeaseRetry = std::chrono::seconds(1);
constexpr int64_t kLeaseSeconds = 40;
constexpr Duration kStatusPeriod = std::chrono::seconds(10);
constexpr Duration kStatusAnyway = std::chrono::minutes(5);
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

// What makes a status worth writing: all but the heartbeat times.
json::Value essence(json::Value status) {
  for (auto& condition : status.edit("conditions").edit_items()) condition.erase("lastHeartbeatTime");
  return status;
}

const std::string& readiness(const json::Value& status) {
  return find_named(status["conditions"], "Ready", "type")["status"].str();
}

}  // namespace

io::Task<void> Heartbeat::enroll() {
  for (;;) {
    input_.machine = read_machine(data_);
    const auto node = make_node(input_, loop_.wall_now());
    auto created = co_await api_.create("/api/v1/nodes", node);
    if (created || created.error().code == Code::kAlreadyExists) break;
    log_debug("node not registered yet", {{"error", created.error().message}});
    co_await io::sleep(loop_, kRetry);
  }
  auto written = co_await write_status();
  if (!written) log_warn("node status not written", {{"error", written.error().message}});
}

io::Task<Result<void>> Heartbeat::write_status() {
  input_.machine = read_machine(data_);
  input_.images = images_.list();
  if (under_disk_pressure({input_.machine.disk_bytes, input_.machine.available_disk_bytes})) {
    pressure_until_ = loop_.now() + pressure_hold_;
  }
  input_.disk_pressure = loop_.now() < pressure_until_;
  const WallTime now = loop_.wall_now();
  const auto status = make_node_status(input_, status_, now);
  // Some of the disk and memory figures move all the time; only conditions and capacities count.
  if (loop_.now() - written_ < kStatusAnyway && essence(status) == essence(status_)) co_return Result<void>();
  auto patched =
      co_await api_.patch("/api/v1/nodes/" + input_.name + "/status", kube::PatchType::kStrategicMerge,
                          json::Value::object({{"status", status}}));
  if (!patched) co_return std::unexpected(patched.error());
  status_ = status;
  written_ = loop_.now();
  co_return Result<void>();
}

// A node that was silent for a while, with its machine or without the API, was called Unknown meanwhile.
io::Task<Result<void>> Heartbeat::correct_status() {
  auto node = co_await api_.get("/api/v1/nodes/" + input_.name);
  if (!node && node.error().code == Code::kNotFound) {
    log_warn("the node's object was deleted: registered anew", {{"node", input_.name}});
    status_ = {};
    co_await enroll();
    co_return Result<void>();
  }
  if (!node) co_return std::unexpected(node.error());
  if (readiness((*node)["status"]) == readiness(status_)) co_return Result<void>();
  status_ = (*node)["status"];
  auto written = co_await write_status();
  co_return written;
}

io::Task<Result<void>> Heartbeat::renew() {
  const std::string now = format_rfc3339_micro(loop_.wall_now());
  const std::string path = std::string(kLeases) + "/" + input_.name;
  const auto patch = json::Value::object({{"spec", json::Value::object({{"renewTime", now}})}});
  auto renewed = co_await api_.patch(path, kube::PatchType::kStrategicMerge, patch);
  if (renewed) co_return Result<void>();
  if (renewed.error().code != Code::kNotFound) co_return std::unexpected(renewed.error());
  const auto lease = json::Value::object(
      {{"apiVersion", "coordination.k8s.io/v1"},
       {"kind", "Lease"},
       {"metadata", json::Value::object({{"name", input_.name}, {"namespace", "kube-node-lease"}})},
       {"spec", json::Value::object({{"holderIdentity", input_.name},
                                     {"leaseDurationSeconds", kLeaseSeconds},
                                     {"renewTime", now}})}});
  auto created = co_await api_.create(kLeases, lease);
  if (!created) co_return std::unexpected(created.error());
  co_return Result<void>();
}

io::Task<void> Heartbeat::run_lease() {
  for (;;) {
    auto renewed = co_await renew();
    if (!renewed) log_warn("lease not renewed", {{"error", renewed.error().message}});
    if (renewed) {
      auto corrected = co_await correct_status();
      if (!corrected) log_warn("node status not checked", {{"error", corrected.error().message}});
    }
    const Duration pause = renewed ? kLeasePeriod : kLeaseRetry;
    co_await io::sleep(loop_, pause);
  }
}

io::Task<void> Heartbeat::run_status() {
  for (;;) {
    co_await io::sleep(loop_, kStatusPeriod);
    auto written = co_await write_status();
    if (!written) log_warn("node status not written", {{"error", written.error().message}});
  }
}

}  // namespace skiff::node
