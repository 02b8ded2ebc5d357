#include "io/pulse.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "io/loop.h"

using namespace skiff;

namespace {

constexpr int kPatience = 3;

void sit(io::PulsePage& page, size_t seat, int32_t thread) {
  page.seats[seat].thread = thread;
}

void turn(io::PulsePage& page, size_t seat) {
  page.seats[seat].beats.fetch_add(1);
}

}  // namespace

TEST_CASE("a seat without a beat for as many looks as there is patience stands still") {
  auto board = io::PulseBoard::make();
  REQUIRE(board);
  io::PulseWatch watch(kPatience);
  sit(board->page(), 0, 11);
  sit(board->page(), 2, 22);
  CHECK(!watch.look(board->page()));
  for (int i = 1; i < kPatience; ++i) {
    turn(board->page(), 0);
    CHECK(!watch.look(board->page()));
  }
  turn(board->page(), 0);
  const auto still = watch.look(board->page());
  REQUIRE(still);
  CHECK(still->seat == 2);
  CHECK(still->thread == 22);
}

TEST_CASE("a beat, an empty seat and another thread on a seat start the count anew") {
  auto board = io::PulseBoard::make();
  REQUIRE(board);
  io::PulseWatch watch(kPatience);
  sit(board->page(), 0, 11);
  for (int i = 0; i < kPatience; ++i) CHECK(!watch.look(board->page()));
  turn(board->page(), 0);
  for (int i = 0; i < kPatience; ++i) CHECK(!watch.look(board->page()));
  sit(board->page(), 0, 33);
  for (int i = 0; i < kPatience; ++i) CHECK(!watch.look(board->page()));
  sit(board->page(), 0, 0);
  for (int i = 0; i < 2 * kPatience; ++i) CHECK(!watch.look(board->page()));
}

// One case: the board of a process is attached once.
TEST_CASE("an attached process shows its loops, when it is ready, and the stack of a thread that spins") {
  auto board = io::PulseBoard::make();
  REQUIRE(board);
  REQUIRE(io::attach_pulses(::dup(board->fd())));
  CHECK(!board->ready_at());
  io::say_ready();
  CHECK(board->ready_at());

  const auto loop = io::make_epoll_loop(1);
  const io::Pulse& pulse = board->page().seats[0];
  int32_t thread_in_loop = 0;
  const uint64_t before = pulse.beats;
  loop->post([&] {
    thread_in_loop = pulse.thread;
    loop->stop();
  });
  loop->run();
  CHECK(thread_in_loop == static_cast<int32_t>(::syscall(SYS_gettid)));
  CHECK(pulse.beats > before);
  CHECK(pulse.thread == 0);

  std::atomic<bool> spinning = false, ending = false;
  std::thread stuck([&] {
    const io::PulseSeat seat;
    spinning = true;
    while (!ending) continue;
  });
  while (!spinning) std::this_thread::yield();
  REQUIRE(::pthread_kill(stuck.native_handle(), io::kStackSignal) == 0);
  while (pulse.frame_count == 0) std::this_thread::yield();
  ending = true;
  stuck.join();
  CHECK(pulse.frame_count > 2);
  CHECK(pulse.frames[0] != 0);
}

TEST_CASE("a page of another version is refused, and its supervisor sees that") {
  auto board = io::PulseBoard::make();
  REQUIRE(board);
  CHECK(!board->is_refused());
  board->page().layout = board->page().layout + 1;
  auto attached = io::attach_pulses(::dup(board->fd()));
  REQUIRE(!attached);
  CHECK(attached.error().code == Code::kInvalidArgument);
  CHECK(board->page().layout == 0);
  CHECK(board->is_refused());
}

TEST_CASE("a page of another size is refused in its first word alone") {
  io::UniqueFd other(::memfd_create("other-version", MFD_CLOEXEC));
  const std::array<uint64_t, 4> page{1, 2, 3, 4};
  REQUIRE(::pwrite(other.get(), page.data(), sizeof(page), 0) == sizeof(page));
  REQUIRE(!io::attach_pulses(::dup(other.get())));
  std::array<uint64_t, 4> after{};
  REQUIRE(::pread(other.get(), after.data(), sizeof(after), 0) == sizeof(after));
  CHECK(after == std::array<uint64_t, 4>{0, 2, 3, 4});
}

TEST_CASE("what is no page is refused") {
  io::UniqueFd other(::open("/dev/null", O_RDWR | O_CLOEXEC));
  auto attached = io::attach_pulses(other.release());
  REQUIRE(!attached);
  CHECK(attached.error().code == Code::kInvalidArgument);
}
