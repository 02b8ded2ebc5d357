#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "io/loop.h"

using namespace skiff;

namespace {

// Two pieces of work that end only when both have begun.
class Meeting {
 public:
  void attend() {
    std::unique_lock lock(mutex_);
    ++present_;
    arrived_.notify_all();
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return present_ == 2; })) alone_ = true;
  }
  bool alone() const { return alone_; }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  int present_ = 0;
  std::atomic<bool> alone_ = false;
};

}  // namespace

TEST_CASE("two pieces of blocking work of one turn run side by side, also after an idle thread was there") {
  constexpr int kRounds = 20;  // the thread of the first work may or may not be idle already
  for (int round = 0; round < kRounds; ++round) {
    auto loop = io::make_epoll_loop(2);
    Meeting meeting;
    int done = 0;
    const auto attend = [&] { meeting.attend(); };
    const auto count = [&] {
      if (++done == 2) loop->stop();
    };
    loop->submit_blocking([] {},
                          [&] {
                            loop->submit_blocking(attend, count);
                            loop->submit_blocking(attend, count);
                          });
    loop->run();
    REQUIRE_FALSE(meeting.alone());
  }
}
