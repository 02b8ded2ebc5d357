#include "node/events/recorder.h"

#include <algorithm>

#include "base/log.h"
#include "base/utf8.h"

namespace skiff::node {

namespace {
constexpr size_t kMaxKnown = 4096;                           // events remembered for counting
constexpr size_t kMaxPending = 1000;                         // events waiting for a slow API server
constexpr size_t kMaxMessage = 1024;                         // bytes, as upstream
constexpr Duration kForgetAfter = std::chrono::minutes(60);  // the API server drops events after an hour

std::string cut(std::string message) {
  message.resize(utf8_prefix(message, kMaxMessage).size());
  return message;
}
}  // namespace

EventRecorder::EventRecorder(io::Loop& loop, ClusterApi& api, std::string node_name)
    : loop_(loop), api_(api), node_name_(std::move(node_name)), scope_(loop) {}

json::Value EventRecorder::make_event(const json::Value& object, const std::string& field, Type type,
                                      const std::string& reason, const std::string& message) {
  const auto& metadata = object["metadata"];
  const std::string name_space = metadata["namespace"].str_or("default");
  const std::string now = format_rfc3339(loop_.wall_now());
  json::Value involved = json::Value::object({{"kind", object["kind"].str_or("Pod")},
                                              {"apiVersion", "v1"},
                                              {"namespace", metadata["namespace"]},
                                              {"name", metadata["name"]},
                                              {"uid", metadata["uid"]},
                                              {"resourceVersion", metadata["resourceVersion"]}});
  if (!field.empty()) involved.set("fieldPath", field);
  // Unique among the events of an object, and in the order in which they came: the time in hexadecimal, as
  // upstream.
  last_stamp_ = std::max(last_stamp_ + 1, static_cast<uint64_t>(loop_.wall_now().time_since_epoch().count()));
  const uint64_t stamp = last_stamp_;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string suffix;
  for (int shift = 60; shift >= 0; shift -= 4) suffix += kDigits[(stamp >> shift) & 15];
  return json::Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Event"},
       {"metadata",
        json::Value::object({{"name", metadata["name"].str() + "." + suffix}, {"namespace", name_space}})},
       {"involvedObject", involved},
       {"reason", reason},
       {"message", message},
       {"type", type == Type::kNormal ? "Normal" : "Warning"},
       {"count", 1},
       {"firstTimestamp", now},
       {"lastTimestamp", now},
       {"source", json::Value::object({{"component", "kubelet"}, {"host", node_name_}})},
       {"reportingComponent", "kubelet"},
       {"reportingInstance", node_name_}});
}

void EventRecorder::record(const json::Value& object, const std::string& field, Type type,
                           const std::string& reason, std::string message) {
  message = cut(std::move(message));
  const std::string key = object["metadata"]["uid"].str() + "|" + field + "|" + reason + "|" + message;
  auto known = known_.find(key);
  if (known != known_.end() && loop_.now() - known->second.last < kForgetAfter) {
    ++known->second.count;
    known->second.last = loop_.now();
    queue({key, {}});
    return;
  }
  forget_old();
  known_[key] = {"", 1, loop_.now()};
  queue({key, make_event(object, field, type, reason, message)});
}

void EventRecorder::forget_old() {
  if (known_.size() < kMaxKnown) return;
  std::erase_if(known_, [&](const auto& entry) { return loop_.now() - entry.second.last >= kForgetAfter; });
  if (known_.size() >= kMaxKnown) known_.clear();
}

void EventRecorder::queue(Pending pending) {
  if (pending_.size() >= kMaxPending) return;
  pending_.push_back(std::move(pending));
  if (draining_) return;
  draining_ = true;
  scope_.spawn(drain());
}

io::Task<void> EventRecorder::drain() {
  while (!pending_.empty()) {
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    co_await write(std::move(next));
  }
  draining_ = false;
}

io::Task<void> EventRecorder::write(Pending pending) {
  auto known = known_.find(pending.key);
  if (known == known_.end()) co_return;
  if (!pending.event.is_null()) {
    const std::string folder =
        "/api/v1/namespaces/" + pending.event["metadata"]["namespace"].str() + "/events";
    const std::string path = folder + "/" + pending.event["metadata"]["name"].str();
    auto created = co_await api_.create(folder, pending.event);
    known = known_.find(pending.key);
    if (created && known != known_.end()) known->second.path = path;
    if (!created) {
      log_debug("event not written", {{"error", created.error().message}});
      known_.erase(pending.key);
    }
    co_return;
  }
  if (known->second.path.empty()) co_return;
  const auto patch = json::Value::object(
      {{"count", known->second.count}, {"lastTimestamp", format_rfc3339(loop_.wall_now())}});
  const std::string path = known->second.path;
  auto patched = co_await api_.patch(path, kube::PatchType::kStrategicMerge, patch);
  if (!patched) known_.erase(pending.key);
}

}  // namespace skiff::node
