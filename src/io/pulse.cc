#include "io/pulse.h"

#include <execinfo.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace skiff::io {

namespace {

constexpr uint64_t kPulseLayout = 0x536b69660001 ^ sizeof(PulsePage);

// Of this process; set once, before other threads start.
PulsePage* own_page = nullptr;
// Of this thread, for the signal handler.
thread_local Pulse* own_pulse = nullptr;

// Async-signal-safe: libgcc was loaded by attach_pulses().
void write_stack(int) {
  const int error = errno;
  if (Pulse* pulse = own_pulse) {
    void* frames[kMaxFrames];
    const int count = ::backtrace(frames, kMaxFrames);
    for (int i = 0; i < count; ++i) {
      pulse->frames[static_cast<size_t>(i)] = reinterpret_cast<uintptr_t>(frames[i]);
    }
    pulse->frame_count.store(static_cast<uint32_t>(count), std::memory_order_release);
  }
  errno = error;
}

static_assert(offsetof(PulsePage, layout) == 0 && std::atomic<uint64_t>::is_always_lock_free);

// By a write, since a page of another version may be of another size.
void refuse(int fd) {
  constexpr uint64_t kRefused = 0;
  [[maybe_unused]] const auto written = ::pwrite(fd, &kRefused, sizeof(kRefused), 0);
}

Result<PulsePage*> map_page(int fd) {
  void* at = ::mmap(nullptr, sizeof(PulsePage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return fail_errno(errno, "map the page of pulses");
  return static_cast<PulsePage*>(at);
}

Result<PulsePage*> attach_page(int fd) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || info.st_size != static_cast<off_t>(sizeof(PulsePage))) {
    return fail(Code::kInvalidArgument, "the page of pulses is of another version");
  }
  auto page = map_page(fd);
  if (!page) return std::unexpected(page.error());
  if ((*page)->layout != kPulseLayout) {
    ::munmap(*page, sizeof(PulsePage));
    return fail(Code::kInvalidArgument, "the page of pulses is of another version");
  }
  void* frame = nullptr;
  ::backtrace(&frame, 1);
  struct sigaction action{};
  action.sa_handler = write_stack;
  action.sa_flags = SA_RESTART;
  if (::sigaction(kStackSignal, &action, nullptr) != 0) return fail_errno(errno, "sigaction");
  return *page;
}

}  // namespace

Result<PulseBoard> PulseBoard::make() {
  UniqueFd fd(::memfd_create("skiff-pulses", MFD_CLOEXEC));
  if (!fd) return fail_errno(errno, "memfd_create");
  if (::ftruncate(fd.get(), sizeof(PulsePage)) != 0) return fail_errno(errno, "size the page of pulses");
  auto page = map_page(fd.get());
  if (!page) return std::unexpected(page.error());
  (*page)->layout = kPulseLayout;
  return PulseBoard(std::move(fd), *page);
}

PulseBoard::PulseBoard(PulseBoard&& other) noexcept
    : fd_(std::move(other.fd_)), page_(std::exchange(other.page_, nullptr)) {}

PulseBoard& PulseBoard::operator=(PulseBoard&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(page_, other.page_);
  return *this;
}

PulseBoard::~PulseBoard() {
  if (page_) ::munmap(page_, sizeof(PulsePage));
}

std::optional<MonotonicTime> PulseBoard::ready_at() const {
  const int64_t at = page_->ready_at_ns.load(std::memory_order_relaxed);
  if (at == 0) return std::nullopt;
  return MonotonicTime(std::chrono::nanoseconds(at));
}

bool PulseBoard::is_refused() const {
  return page_->layout.load(std::memory_order_relaxed) != kPulseLayout;
}

Result<void> attach_pulses(int fd) {
  const UniqueFd owned(fd);
  auto page = attach_page(fd);
  if (!page) {
    refuse(fd);
    return std::unexpected(page.error());
  }
  own_page = *page;
  return {};
}

void say_ready() {
  if (!own_page) return;
  own_page->ready_at_ns.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                              std::memory_order_relaxed);
}

PulseSeat::PulseSeat() : before_(own_pulse) {
  if (!own_page) return;
  const auto self = static_cast<int32_t>(::syscall(SYS_gettid));
  for (Pulse& pulse : own_page->seats) {
    int32_t free = 0;
    if (!pulse.thread.compare_exchange_strong(free, self)) continue;
    // Beats go on from those of the seat's last owner: no two beats of a seat look alike.
    count_ = pulse.beats.load(std::memory_order_relaxed);
    pulse_ = own_pulse = &pulse;
    beat();
    return;
  }
}

PulseSeat::~PulseSeat() {
  if (!pulse_) return;
  own_pulse = before_;
  pulse_->thread.store(0);
}

std::optional<PulseWatch::Still> PulseWatch::look(const PulsePage& page) {
  std::optional<Still> found;
  for (size_t i = 0; i < page.seats.size(); ++i) {
    const int32_t thread = page.seats[i].thread.load();
    const uint64_t beats = page.seats[i].beats.load(std::memory_order_relaxed);
    Seen& seen = seen_[i];
    if (thread == 0 || thread != seen.thread || beats != seen.beats) {
      seen = {thread, beats, 0};
    } else if (++seen.looks >= patience_ && !found) {
      found = Still{i, thread};
    }
  }
  return found;
}

}  // namespace skiff::io
