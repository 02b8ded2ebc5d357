#include "edge/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "io/pulse.h"

namespace skiff::edge {
namespace {

constexpr int kEventsPerTurn = 256;
constexpr int kBusyLooks = 8;
constexpr uint64_t kTurnNanos = 100'000;  // the least that Linux takes
constexpr int kIdleWait = std::chrono::duration_cast<Millis>(io::kLongestIdleTurn).count();

// sched_setattr(2), which glibc 2.36 has no declaration of.
struct SchedulingAttributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

// On full processors a thread runs until a tick of 4 ms takes it off, and all that wait for it wait that
// long. With short turns of their own the workers run sooner and give way sooner: p99 at full load 2.1 ms
// instead of 4.0. Linux before 6.12 knows no such turns and keeps its own.
void ask_for_short_turns() {
  SchedulingAttributes attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_OTHER;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  attributes.runtime = kTurnNanos;
  [[maybe_unused]] const auto refused = ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int64_t clock_ms(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1000000;
}

}  // namespace

Worker::Worker(WorkerOptions options, std::shared_ptr<const RouteTable> routes)
    : options_(std::move(options)),
      routes_(std::move(routes)),
      scratch_(kScratchBytes, '\0'),
      random_(SystemRandom().next()) {
  http_.fd = options_.http_fd;
  https_.fd = options_.https_fd;
}

Worker::~Worker() {
  cut_all();
  for (auto& [key, target] : targets_) {
    while (!target->idle.empty()) drop_upstream(*target->idle.back());
  }
  graveyard_.clear();
  if (spare_fd_ >= 0) ::close(spare_fd_);
  if (epoll_ >= 0) ::close(epoll_);
}

void Worker::cut_all() {
  while (!clients_.empty()) {
    Client& c = *clients_.back();
    const bool waiting = c.state == Client::State::kHead || c.state == Client::State::kFlush ||
                         c.state == Client::State::kLinger;
    if (!waiting) {
      if (!c.response_started) c.status = 0;
      log(c, Fault::kH24);
      if (c.response_started && c.response_body.ends_with_connection()) c.abort();
    }
    end_client(c);
  }
  flush_logs();
}

bool Worker::watch(Conn& conn, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &conn;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, conn.fd, &event) == 0;
}

Result<void> Worker::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail_errno(errno, "make an epoll instance");
  wake_.fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_.fd < 0) return fail_errno(errno, "make an eventfd");
  if (options_.spread != nullptr) options_.spread->join(options_.index, wake_.fd);
  keep_spare();
  for (Conn* conn : {&wake_, &http_, &https_}) {
    if (conn->fd >= 0 && !watch(*conn, EPOLLIN)) return fail_errno(errno, "watch a socket");
  }
  return {};
}

void Worker::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.fd, &one, sizeof one);
}

void Worker::stop() {
  stopping_ = true;
  wake();
}

void Worker::set_routes(std::shared_ptr<const RouteTable> routes) {
  {
    const std::lock_guard lock(mutex_);
    next_routes_ = std::move(routes);
  }
  new_routes_ = true;
  wake();
}

void Worker::read_clock() {
  now_ = clock_ms(CLOCK_MONOTONIC);
  wall_ms_ = clock_ms(CLOCK_REALTIME);
}

int Worker::wait_time() const {
  if (!again_.empty()) return 0;
  if (!log_.empty()) return static_cast<int>(std::max<int64_t>(log_since_ + kLogDelay.count() - now_, 0));
  return clients_.empty() && idle_upstreams_ == 0 ? kIdleWait : static_cast<int>(kSweep.count());
}

// While there is traffic, to look again costs less than to sleep and be woken: 8 % more requests on a machine
// that clients and pods share. They get the processor between two looks.
int Worker::wait(std::span<epoll_event> events, bool busy) {
  const int size = static_cast<int>(events.size());
  for (int look = 0; busy && look < kBusyLooks; ++look) {
    if (look > 0) ::sched_yield();
    const int count = ::epoll_wait(epoll_, events.data(), size, 0);
    if (count != 0) return count;
  }
  return ::epoll_wait(epoll_, events.data(), size, wait_time());
}

void Worker::run() {
  std::array<epoll_event, kEventsPerTurn> events;
  io::PulseSeat seat;
  ask_for_short_turns();
  read_clock();
  for (int count = 0; !stopping_;) {
    count = wait(events, count > 0 && again_.empty());
    read_clock();
    for (int i = 0; i < count; ++i) {
      Conn& conn = *static_cast<Conn*>(events[static_cast<size_t>(i)].data.ptr);
      if (!conn.dead) dispatch(conn, events[static_cast<size_t>(i)].events);
    }
    if (new_routes_.exchange(false)) adopt_routes();
    if (!again_.empty()) drive_again();
    if (now_ - last_sweep_ >= kSweep.count()) sweep();
    if (!log_.empty() && (log_.bytes() >= kLogFlushBytes || now_ - log_since_ >= kLogDelay.count()))
      flush_logs();
    graveyard_.clear();
    seat.beat();
  }
}

void Worker::dispatch(Conn& conn, uint32_t events) {
  switch (conn.kind) {
    case Conn::Kind::kWake: {
      uint64_t count = 0;
      [[maybe_unused]] const auto got = ::read(wake_.fd, &count, sizeof count);
      return take_arrivals();
    }
    case Conn::Kind::kListener:
    case Conn::Kind::kTlsListener:
      return accept_some(conn);
    case Conn::Kind::kClient:
      return on_client(static_cast<Client&>(conn), events);
    case Conn::Kind::kUpstream:
      return on_upstream(static_cast<Upstream&>(conn), events);
  }
}

void Worker::queue_again(Client& c) {
  if (c.again) return;
  c.again = true;
  c.again_at = again_.size();
  again_.push_back(&c);
}

// Those queued meanwhile wait for the next turn, so that one busy client can't keep the others waiting. The
// memory of one that ends lives until the end of the turn.
void Worker::drive_again() {
  driving_.swap(again_);
  for (Client* c : driving_) {
    if (c != nullptr) c->again = false;
  }
  for (Client* c : driving_) {
    if (c != nullptr && !c->dead) drive(*c);
  }
  driving_.clear();
}

void Worker::adopt_routes() {
  {
    const std::lock_guard lock(mutex_);
    if (next_routes_) routes_ = std::move(next_routes_);
    next_routes_ = nullptr;
  }
  resolved_.clear();
  std::vector<Client*> held;
  for (Client* c : clients_) {
    if (c->state == Client::State::kHeld) held.push_back(c);
    if (c->ssl != nullptr && SSL_want_x509_lookup(c->ssl)) {
      c->readable = true;
      queue_again(*c);
    }
  }
  for (Client* c : held) route(*c);
}

void Worker::sweep() {
  last_sweep_ = now_;
  for (size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size() && clients_[i]->deadline <= now_) expire(*clients_[i]);
  }
  sweep_targets();
}

// Pooled connections past their time, and targets that nothing needs.
void Worker::sweep_targets() {
  std::set<const Target*> gone;
  std::vector<std::unique_ptr<Target>> kept;  // until nothing points to them
  for (auto it = targets_.begin(); it != targets_.end();) {
    Target& target = *it->second;
    while (!target.idle.empty() &&
           now_ - target.idle.front()->idle_since > options_.limits.upstream_idle.count()) {
      drop_upstream(*target.idle.front());
    }
    if (target.idle.empty() && target.load.outstanding == 0 && target.load.quarantined_until < now_) {
      gone.insert(&target);
      kept.push_back(std::move(it->second));
      it = targets_.erase(it);
    } else {
      ++it;
    }
  }
  if (!gone.empty()) std::erase_if(resolved_, [&](const auto& entry) { return gone.contains(entry.second); });
}

void Worker::expire(Client& c) {
  if (c.state == Client::State::kHeld && find_app(c) == nullptr) return route(c);
  const auto plan =
      plan_expiry(c.state, !c.in.empty() && !c.blocked(), c.response_started, c.body.done(), c.last_fault);
  switch (plan.kind) {
    case Expiry::Kind::kClose:
      return end_client(c);
    case Expiry::Kind::kHeadTimeout:
      c.timed_out = true;
      return answer(c,
                    plain_response(408, "Request Timeout", "the request head did not arrive in time", false));
    case Expiry::Kind::kRetry:
      return retry(c, plan.fault);
    case Expiry::Kind::kFail:
      return fail(c, plan.fault);
  }
}

}  // namespace skiff::edge
