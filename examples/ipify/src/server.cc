#include "server.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "listener.h"

namespace ipify {

std::expected<std::unique_ptr<Server>, std::string> Server::start(const Config& config) {
  std::unique_ptr<Server> server(new Server);
  server->done_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!server->done_) return std::unexpected(std::string("cannot make an eventfd: ") + std::strerror(errno));
  auto listeners = open_listeners(config.port, config.threads);
  if (!listeners) return std::unexpected(listeners.error());
  server->where_ = listeners->where;
  server->port_ = listeners->port;
  WorkerConfig each = config.worker;
  each.max_connections = std::max<std::size_t>(1, config.worker.max_connections / config.threads);
  for (UniqueFd& socket : listeners->sockets) {
    auto worker = Worker::create(std::move(socket), each, server->stage_);
    if (!worker) return std::unexpected(worker.error());
    server->workers_.push_back(std::move(*worker));
  }
  server->running_ = server->workers_.size();
  for (const auto& worker : server->workers_) {
    server->threads_.emplace_back([&owner = *server, &worker = *worker] { owner.run(worker); });
  }
  return server;
}

Server::~Server() {
  advance(Stage::kClosing);
  wait();
}

std::uint64_t Server::answered() const {
  std::uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->answered();
  return sum;
}

void Server::advance(Stage stage) {
  Stage current = stage_.load(std::memory_order_relaxed);
  while (current < stage && !stage_.compare_exchange_weak(current, stage, std::memory_order_release)) {
  }
  for (const auto& worker : workers_) worker->wake();
}

void Server::wait() {
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Server::run(Worker& worker) {
  worker.run();
  if (running_.fetch_sub(1) != 1) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(done_.get(), &one, sizeof one);
}

}  // namespace ipify
