#include "control/shared/reconciler.h"

#include <algorithm>

#include "base/log.h"

namespace skiff::control {

namespace {
constexpr size_t kParallel = 32;  // syncs at a time; each waits for the server most of its life
constexpr Duration kFirstDelay = std::chrono::milliseconds(5);  // upstream's rate limiter
constexpr Duration kLongestDelay = std::chrono::seconds(30);
constexpr int kQuietFailures = 5;  // conflicts resolve themselves within this many
constexpr size_t kFew = 50;        // objects that one sync goes through in well under a millisecond
}  // namespace

Duration rest_for(size_t objects, Duration each) {
  return objects <= kFew ? Duration(0) : each * static_cast<int64_t>(objects);
}

Reconciler::Reconciler(io::Loop& loop, std::string name, Sync sync)
    : loop_(loop), name_(std::move(name)), sync_(std::move(sync)), scope_(loop) {}

Reconciler::~Reconciler() {
  scope_.cancel();
  for (const auto& [key, delay] : delayed_) loop_.cancel_timer(delay.timer);
  for (const auto& [key, rest] : resting_) loop_.cancel_timer(rest.timer);
}

void Reconciler::add(const std::string& key) {
  if (!waiting_.insert(key).second) return;
  order_.push_back(key);
  pump();
}

void Reconciler::add_after(const std::string& key, Duration delay) {
  const auto at = loop_.now() + std::max(delay, Duration(0));
  if (const auto found = delayed_.find(key); found != delayed_.end()) {
    if (found->second.at <= at) return;
    loop_.cancel_timer(found->second.timer);
    delayed_.erase(found);
  }
  const auto timer = loop_.add_timer(at, [this, key] {
    delayed_.erase(key);
    add(key);
  });
  delayed_[key] = {timer, at};
}

void Reconciler::rest(const std::string& key, Duration duration) {
  if (duration <= Duration(0) || resting_.contains(key)) return;
  const auto timer = loop_.add_timer_after(duration, [this, key] {
    const bool wanted = resting_.at(key).wanted;
    resting_.erase(key);
    if (wanted) add(key);
  });
  resting_[key] = {timer};
}

void Reconciler::open() {
  open_ = true;
  pump();
}

void Reconciler::pump() {
  if (!open_) return;
  std::deque<std::string> later;
  while (!order_.empty() && running_.size() < kParallel) {
    auto key = std::move(order_.front());
    order_.pop_front();
    if (running_.contains(key)) {
      later.push_back(std::move(key));
      continue;
    }
    waiting_.erase(key);
    if (const auto rest = resting_.find(key); rest != resting_.end()) {
      rest->second.wanted = true;
      continue;
    }
    running_.insert(key);
    scope_.spawn(run(this, std::move(key)));
  }
  order_.insert(order_.begin(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
}

io::Task<void> Reconciler::run(Reconciler* self, std::string key) {
  auto task = self->sync_(key);
  auto result = co_await task;
  self->finish(key, result);
}

void Reconciler::finish(const std::string& key, const SyncResult& result) {
  ++counters_.syncs;
  running_.erase(key);
  if (result) {
    failures_.erase(key);
    if (*result) add_after(key, **result);
  } else {
    ++counters_.failures;
    const int times = failures_[key]++;
    if (times >= kQuietFailures) {
      log_warn("sync failed, it will be tried again",
               {{"controller", name_}, {"key", key}, {"error", result.error().message}});
    }
    add_after(key, std::min(kLongestDelay, kFirstDelay * (int64_t{1} << std::min(times, 14))));
  }
  pump();
}

}  // namespace skiff::control
