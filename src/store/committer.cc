#include "store/committer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace skiff::store {

namespace {

class InlineCommitter final : public Committer {
 public:
  InlineCommitter(io::Loop& loop, std::unique_ptr<Backend> backend)
      : loop_(loop), state_(std::make_shared<State>()) {
    state_->backend = std::move(backend);
  }

  // One piece a step and always the oldest, so that a shuffled loop keeps the order.
  void run(Work work, Done done) override {
    state_->jobs.emplace_back(std::move(work), std::move(done));
    loop_.post([weak = std::weak_ptr(state_)] {
      auto state = weak.lock();
      if (!state) return;
      auto [job, finish] = std::move(state->jobs.front());
      state->jobs.pop_front();
      finish(job(*state->backend));
    });
  }

 private:
  struct State {
    std::unique_ptr<Backend> backend;
    std::deque<std::pair<Work, Done>> jobs;
  };
  io::Loop& loop_;
  std::shared_ptr<State> state_;
};

class ThreadCommitter final : public Committer {
 public:
  ThreadCommitter(io::Loop& loop, std::unique_ptr<Backend> backend)
      : loop_(loop), backend_(std::move(backend)), thread_([this] { serve(); }) {}

  ~ThreadCommitter() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void run(Work work, Done done) override {
    {
      std::lock_guard lock(mutex_);
      jobs_.emplace_back(std::move(work), std::move(done));
    }
    wake_.notify_one();
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      auto result = job.first(*backend_);
      loop_.post_remote(
          [done = std::move(job.second), result = std::move(result)]() mutable { done(std::move(result)); });
      lock.lock();
    }
  }

  io::Loop& loop_;
  std::unique_ptr<Backend> backend_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<Work, Done>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Committer> make_inline_committer(io::Loop& loop, std::unique_ptr<Backend> backend) {
  return std::make_unique<InlineCommitter>(loop, std::move(backend));
}

std::unique_ptr<Committer> make_thread_committer(io::Loop& loop, std::unique_ptr<Backend> backend) {
  return std::make_unique<ThreadCommitter>(loop, std::move(backend));
}

}  // namespace skiff::store
