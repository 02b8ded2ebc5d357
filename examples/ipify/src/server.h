// The service: one worker thread per processor, started together, drained together.
//
//   auto server = Server::start(config);              // listens and serves from here on
//   (*server)->advance(Stage::kDraining);             // on SIGTERM
//   (*server)->wait();                                // returns when the last connection is finished
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config.h"
#include "connection.h"
#include "worker.h"

namespace ipify {

class Server {
 public:
  // Returns once the port is open. The error is a sentence for the log.
  static std::expected<std::unique_ptr<Server>, std::string> start(const Config& config);
  // Closes what is idle, finishes what has begun, joins the threads.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& where() const { return where_; }
  std::uint16_t port() const { return port_; }
  std::uint64_t answered() const;

  // Moves on to a later stage; never back. Any thread.
  void advance(Stage stage);
  // Becomes readable when the last worker has ended; for poll.
  int done_fd() const { return done_.get(); }
  // Joins the workers. One caller.
  void wait();

 private:
  Server() = default;
  void run(Worker& worker);

  std::string where_;
  std::uint16_t port_ = 0;
  UniqueFd done_;
  std::atomic<Stage> stage_{Stage::kServing};
  std::atomic<std::size_t> running_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::jthread> threads_;  // last: joined before what they use goes away
};

}  // namespace ipify
