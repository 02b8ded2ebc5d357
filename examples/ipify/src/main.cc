// ipify: tells whoever asks the IP address they ask from.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "config.h"
#include "cpus.h"
#include "server.h"

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitMisconfigured = 2;

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

int fail(int code, const std::string& why) {
  std::fprintf(stderr, "ipify: %s\n", why.c_str());
  return code;
}

// The descriptors this process may open, after asking for as many as it is allowed.
std::size_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t fitting_connections(std::size_t wanted) {
  const std::size_t descriptors = descriptor_limit();
  const std::size_t free = descriptors > 2 * ipify::kReservedDescriptors
                               ? descriptors - ipify::kReservedDescriptors
                               : descriptors / 2;
  return std::min(wanted, free);
}

// SIGTERM and SIGINT arrive here instead of ending the process. Call before any thread starts.
ipify::UniqueFd take_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  return ipify::UniqueFd(::signalfd(-1, &stop, SFD_CLOEXEC));
}

// The first signal drains; the second one closes what is idle at once.
void serve_until_done(ipify::Server& server, const ipify::UniqueFd& signals) {
  ipify::Stage next = ipify::Stage::kDraining;
  while (true) {
    std::array<pollfd, 2> waits{{{signals.get(), POLLIN, 0}, {server.done_fd(), POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    signalfd_siginfo info{};
    if (waits[0].revents == 0 || ::read(signals.get(), &info, sizeof info) <= 0) continue;
    std::printf("ipify: %s\n", next == ipify::Stage::kDraining ? "stopping" : "stopping at once");
    server.advance(next);
    next = ipify::Stage::kClosing;
  }
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  auto config = ipify::parse_config(environment, ipify::available_processors());
  if (!config) return fail(kExitMisconfigured, config.error());
  config->worker.max_connections = fitting_connections(config->worker.max_connections);
  const ipify::UniqueFd signals = take_signals();
  if (!signals) return fail(kExitFailed, "cannot receive signals");
  const auto server = ipify::Server::start(*config);
  if (!server) return fail(kExitFailed, server.error());
  std::printf("ipify: listening on %s, threads=%u max_connections=%zu\n", (*server)->where().c_str(),
              config->threads, config->worker.max_connections);
  serve_until_done(**server, signals);
  (*server)->wait();
  std::printf("ipify: stopped, answered=%llu\n", static_cast<unsigned long long>((*server)->answered()));
  return 0;
}
