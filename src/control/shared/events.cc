#include "control/shared/events.h"

#include <algorithm>

#include <fmt/core.h>

namespace skiff::control {

namespace {

constexpr int kSimilarAlone = 10;
constexpr Duration kSimilarWindow = std::chrono::seconds(600);
constexpr double kBurst = 25, kRefillSeconds = 300;
constexpr size_t kMaxPending = 2000;     // more are dropped: Events are hints
constexpr size_t kMaxRemembered = 4096;  // entries of each table, as upstream; all forgotten beyond

template <typename Table>
void bound(Table& table) {
  if (table.size() > kMaxRemembered) table.clear();
}

Value reference_to(const Value& about) {
  auto ref = Value::object({{"apiVersion", about["apiVersion"]}, {"kind", about["kind"]}});
  for (const char* field : {"namespace", "name", "uid", "resourceVersion"}) {
    if (!about["metadata"][field].empty()) ref.set(field, about["metadata"][field]);
  }
  return ref;
}

}  // namespace

EventRecorder::EventRecorder(io::Loop& loop, kube::Client& client, std::string component)
    : loop_(loop), client_(client), component_(std::move(component)), scope_(loop) {}

bool EventRecorder::allow(const std::string& object) {
  bound(buckets_);
  auto [found, fresh] = buckets_.try_emplace(object, Bucket{kBurst, loop_.now()});
  auto& bucket = found->second;
  const double passed = std::chrono::duration<double>(loop_.now() - bucket.at).count();
  bucket.tokens = std::min(kBurst, bucket.tokens + passed / kRefillSeconds);
  bucket.at = loop_.now();
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void EventRecorder::record(const Value& about, const std::string& type, const std::string& reason,
                           std::string message) {
  const auto object = about["kind"].str() + "/" + key_of(about) + "/" + uid_of(about);
  if (!allow(object) || pending_.size() >= kMaxPending) {
    ++dropped_;
    return;
  }
  bound(similar_);
  bound(seen_);
  const auto group = object + "\n" + type + "\n" + reason;
  auto id = group + "\n" + message;
  auto& similar = similar_[group];
  if (loop_.now() - similar.last > kSimilarWindow) similar.distinct = 0;
  similar.last = loop_.now();
  if (!seen_.contains(id) && ++similar.distinct > kSimilarAlone) {
    id = group;
    message = "(combined from similar events): " + message;
  }
  const auto ns = namespace_of(about).empty() ? std::string("default") : namespace_of(about);
  const auto at = format_rfc3339(loop_.wall_now());
  auto& seen = seen_[id];
  if (++seen.count > 1) {
    pending_.push_back({seen.path,
                        Value::object({{"count", seen.count}, {"lastTimestamp", at}, {"message", message}}),
                        false});
  } else {
    // Names of an object's events sort in the order in which they came.
    last_stamp_ =
        std::max(last_stamp_ + 1, static_cast<uint64_t>(loop_.wall_now().time_since_epoch().count()));
    const auto name = fmt::format("{}.{:016x}", name_of(about), last_stamp_);
    seen.path = path_of("/api/v1", "events", ns, name);
    pending_.push_back({path_of("/api/v1", "events", ns),
                        Value::object({{"apiVersion", "v1"},
                                       {"kind", "Event"},
                                       {"metadata", Value::object({{"name", name}, {"namespace", ns}})},
                                       {"involvedObject", reference_to(about)},
                                       {"reason", reason},
                                       {"message", std::move(message)},
                                       {"type", type},
                                       {"count", 1},
                                       {"firstTimestamp", at},
                                       {"lastTimestamp", at},
                                       {"source", Value::object({{"component", component_}})},
                                       {"reportingComponent", component_},
                                       {"reportingInstance", ""}})});
  }
  if (!draining_) {
    draining_ = true;
    scope_.spawn(drain(this));
  }
}

io::Task<void> EventRecorder::drain(EventRecorder* self) {
  while (!self->pending_.empty()) {
    Pending next = std::move(self->pending_.front());
    self->pending_.pop_front();
    if (next.first) {
      auto created = co_await self->client_.create(next.path, next.body);
      if (!created) ++self->dropped_;
    } else {
      auto patched = co_await self->client_.patch(next.path, kube::PatchType::kMerge, next.body);
      if (!patched) ++self->dropped_;
    }
  }
  self->draining_ = false;
}

}  // namespace skiff::control
