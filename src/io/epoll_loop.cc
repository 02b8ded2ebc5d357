#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/pulse.h"

namespace skiff::io {

namespace {

// A turn longer than this delays everything else on the loop; where that concerns others than the one who
// waits for a command, in a supervised process, it is logged.
constexpr Duration kSlowTurn = std::chrono::milliseconds(50);
constexpr size_t kMaxEvents = 256;

// Threads for work that blocks: fsync, getaddrinfo, unpacking.
class BlockingPool {
 public:
  explicit BlockingPool(int limit) : limit_(limit) {}
  ~BlockingPool() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void submit(Callback work) {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    // A thread that was woken counts as idle until it runs: each of them takes one piece of work.
    if (queue_.size() > idle_ && threads_.size() < static_cast<size_t>(limit_))
      threads_.emplace_back([this] { serve(); });
    wake_.notify_one();
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      --idle_;
      if (queue_.empty()) return;
      Callback work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }

  const int limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Callback> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

class EpollLoop final : public Loop {
 public:
  explicit EpollLoop(int blocking_threads)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        pool_(std::make_unique<BlockingPool>(blocking_threads)) {
    SKIFF_CHECK(epoll_ >= 0 && wake_ >= 0);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_;
    SKIFF_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
    read_clock();
  }

  ~EpollLoop() override {
    pool_.reset();
    ::close(wake_);
    ::close(epoll_);
  }

  MonotonicTime now() const override { return now_; }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
  Random& random() override { return random_; }

  void post_remote(Callback callback) override {
    bool first = false;
    {
      std::lock_guard lock(remote_mutex_);
      first = remote_.empty();
      remote_.push_back(std::move(callback));
    }
    if (first) {
      const uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
    }
  }

  Result<void> watch(int fd, FdHandler& handler) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno(errno, "epoll_ctl");
    handlers_[fd] = &handler;
    return {};
  }

  void unwatch(int fd) override {
    if (handlers_.erase(fd) > 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  }

  void submit_blocking(Callback work, Callback done) override {
    pool_->submit([this, work = std::move(work), done = std::move(done)]() mutable {
      work();
      post_remote(std::move(done));
    });
  }

  void run() override {
    stopped_ = false;
    PulseSeat seat;
    watched_ = seat.watched();
    while (!stopped_) {
      turn();
      seat.beat();
    }
  }

  void stop() override { stopped_ = true; }

 private:
  void turn() {
    std::array<epoll_event, kMaxEvents> events;
    const int count = epoll_wait(epoll_, events.data(), kMaxEvents, wait_milliseconds());
    read_clock();
    for (int i = 0; i < count; ++i) dispatch(events[static_cast<size_t>(i)]);
    run_timers(now_);
    run_ready();
    const auto took = std::chrono::steady_clock::now() - now_;
    if (watched_ && took > kSlowTurn) {
      log_warn("slow loop turn",
               {{"ms", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count())}});
    }
  }

  int wait_milliseconds() {
    if (has_ready() || stopped_) return 0;
    MonotonicTime next = next_timer();
    if (watched_) next = std::min(next, std::chrono::steady_clock::now() + kLongestIdleTurn);
    if (next == MonotonicTime::max()) return -1;
    const auto left = next - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) return 0;
    constexpr int64_t kLongest = 3'600'000;
    return static_cast<int>(
        std::min<int64_t>(kLongest, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
  }

  void dispatch(const epoll_event& event) {
    if (event.data.fd == wake_) {
      take_remote();
      return;
    }
    constexpr uint32_t kFailed = EPOLLERR | EPOLLHUP;
    // Looked up for each call: the first may remove the handler.
    if (event.events & (EPOLLIN | EPOLLRDHUP | kFailed)) {
      if (auto found = handlers_.find(event.data.fd); found != handlers_.end()) found->second->on_readable();
    }
    if (event.events & (EPOLLOUT | kFailed)) {
      if (auto found = handlers_.find(event.data.fd); found != handlers_.end()) found->second->on_writable();
    }
  }

  void take_remote() {
    uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_, &count, sizeof count);
    std::vector<Callback> batch;
    {
      std::lock_guard lock(remote_mutex_);
      batch.swap(remote_);
    }
    for (auto& callback : batch) post(std::move(callback));
  }

  void read_clock() { now_ = std::chrono::steady_clock::now(); }

  const int epoll_;
  const int wake_;
  MonotonicTime now_;
  SystemRandom random_;
  bool stopped_ = false;
  bool watched_ = false;  // somebody waits for each turn
  std::unordered_map<int, FdHandler*> handlers_;
  std::mutex remote_mutex_;
  std::vector<Callback> remote_;
  std::unique_ptr<BlockingPool> pool_;
};

}  // namespace

std::unique_ptr<Loop> make_epoll_loop(int blocking_threads) {
  return std::make_unique<EpollLoop>(blocking_threads);
}

}  // namespace skiff::io
