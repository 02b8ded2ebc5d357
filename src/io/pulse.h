// Shows to another process that the loops of this one still turn.
//
// A loop that stands still can't say so: whoever supervises the process must see it. Each loop's thread holds
// a seat on a page shared with the supervisor and counts its turns there; a loop that has nothing to do turns
// at least every kLongestIdleTurn. A supervisor looks now and then (PulseWatch) and sends kStackSignal to a
// thread that stands still, which writes its stack beside its count, whatever it was doing.
//
//   auto board = PulseBoard::make();            // in the supervisor; its descriptor goes to the child
//   attach_pulses(fd);                          // in the child, before other threads start
//   PulseSeat seat; for (;;) { seat.beat(); ... }  // in each thread that has a loop
//
// Seats: by the thread that sits there. A process without a board has seats that do nothing.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file.h"

namespace skiff::io {

constexpr int kStackSignal = SIGUSR2;
constexpr Duration kLongestIdleTurn = std::chrono::seconds(2);
constexpr size_t kMaxSeats = 128;  // loops of one process; those beyond are not watched
constexpr size_t kMaxFrames = 48;  // of a stack

struct Pulse {
  std::atomic<int32_t> thread;  // 0: the seat is free
  std::atomic<uint64_t> beats;
  std::atomic<uint32_t> frame_count;  // written last
  std::array<uintptr_t, kMaxFrames> frames;
};

// What both processes see. All zero at first.
struct PulsePage {
  // The supervisor's kPulseLayout. First in every version: a process of another one, which can't read the
  // rest, writes 0 here.
  std::atomic<uint64_t> layout;
  std::atomic<int64_t> ready_at_ns;  // of the monotonic clock; 0: the process is still starting
  std::array<Pulse, kMaxSeats> seats;
};

// The page of one child, in its supervisor.
class PulseBoard {
 public:
  static Result<PulseBoard> make();
  PulseBoard(PulseBoard&& other) noexcept;
  PulseBoard& operator=(PulseBoard&& other) noexcept;
  ~PulseBoard();
  int fd() const { return fd_.get(); }
  PulsePage& page() const { return *page_; }
  // When the child said that it serves; nothing before.
  std::optional<MonotonicTime> ready_at() const;
  // True once the child has said that it can't show its loops here, and then for good.
  bool is_refused() const;

 private:
  PulseBoard(UniqueFd fd, PulsePage* page) : fd_(std::move(fd)), page_(page) {}
  UniqueFd fd_;
  PulsePage* page_;
};

// Takes the board that the supervisor gave; installs the handler of kStackSignal. InvalidArgument when it is
// of another version: the process then runs unwatched, and the supervisor is told so.
Result<void> attach_pulses(int fd);
// Tells the supervisor that this process serves.
void say_ready();

// A loop's place on the board, while it runs.
class PulseSeat {
 public:
  PulseSeat();
  ~PulseSeat();
  PulseSeat(const PulseSeat&) = delete;
  void beat() {
    if (pulse_) pulse_->beats.store(++count_, std::memory_order_relaxed);
  }
  bool watched() const { return pulse_ != nullptr; }

 private:
  Pulse* pulse_ = nullptr;
  Pulse* before_ = nullptr;  // of a loop that runs this one
  uint64_t count_ = 0;
};

// Finds seats that don't move. It counts its own looks and no time: when the whole machine stands still, or
// is so slow that the supervisor looks rarely, nobody seems stuck.
class PulseWatch {
 public:
  struct Still {
    size_t seat;
    int32_t thread;
  };
  // `patience`: looks without a beat after which a seat stands still.
  explicit PulseWatch(int patience) : patience_(patience) {}
  // The first seat that stands still.
  std::optional<Still> look(const PulsePage& page);

 private:
  struct Seen {
    int32_t thread = 0;
    uint64_t beats = 0;
    int looks = 0;
  };
  int patience_;
  std::array<Seen, kMaxSeats> seen_{};
};

}  // namespace skiff::io
