#include "skiff/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "io/file.h"

namespace skiff {

namespace {

class FdSignalWatch final : public SignalWatch, public io::FdHandler {
 public:
  FdSignalWatch(io::Loop& loop, io::UniqueFd fd, io::Callback on_stop)
      : loop_(loop), fd_(std::move(fd)), on_stop_(std::move(on_stop)) {}
  ~FdSignalWatch() override { loop_.unwatch(fd_.get()); }
  Result<void> open() { return loop_.watch(fd_.get(), *this); }
  void on_readable() override {
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGHUP) on_stop_();
    }
  }
  void on_writable() override {}

 private:
  io::Loop& loop_;
  io::UniqueFd fd_;
  io::Callback on_stop_;
};

}  // namespace

Result<std::unique_ptr<SignalWatch>> watch_signals(io::Loop& loop, io::Callback on_stop) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno(errno, "block signals");
  io::UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno(errno, "signalfd");
  auto watch = std::make_unique<FdSignalWatch>(loop, std::move(fd), std::move(on_stop));
  SKIFF_RETURN_IF_ERROR(watch->open());
  return watch;
}

}  // namespace skiff
