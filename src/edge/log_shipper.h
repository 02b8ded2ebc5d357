// Takes router lines from the queue to the platform: POST /logs with a batch at a time, tried again until the
// platform has it, in order. On the control thread's loop.
#pragma once

#include <string>

#include "edge/log_queue.h"
#include "io/loop.h"
#include "io/task.h"
#include "net/http_client.h"

namespace skiff::edge {

class LogShipper {
 public:
  // All outlive the shipper. `token` is the bearer token; "" sends none.
  LogShipper(io::Loop& loop, LogQueue& queue, net::HttpClient& client, std::string token)
      : loop_(loop), queue_(queue), client_(client), token_(std::move(token)) {}
  // Runs until it is dropped, or until finish() was called and the queue is empty.
  io::Task<void> run();
  // No more lines will come: ends run() as soon as all are delivered.
  void finish() { finishing_ = true; }

 private:
  io::Task<void> deliver(LogBatch batch);
  io::Loop& loop_;
  LogQueue& queue_;
  net::HttpClient& client_;
  const std::string token_;
  bool finishing_ = false;
};

}  // namespace skiff::edge
