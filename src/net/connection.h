// What server and client share: a stream with its received, not yet consumed bytes, and bodies read from it.
//
// One task reads and one writes at a time. A dropped fill() loses no byte. One thread: the loop's.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.h"
#include "net/http.h"
#include "wire/http1.h"

namespace skiff::net {

// Closes a stream when it lives longer than its time, which ends the stream's pending operations with an
// error.
class CloseTimer {
 public:
  CloseTimer(io::Loop& loop, io::Stream& stream, Duration limit);
  ~CloseTimer() { loop_.cancel_timer(timer_); }
  CloseTimer(const CloseTimer&) = delete;
  bool fired() const { return fired_; }

 private:
  io::Loop& loop_;
  io::TimerId timer_ = 0;
  bool fired_ = false;
};

class Connection {
 public:
  Connection(io::Loop& loop, std::unique_ptr<io::Stream> stream) : loop_(loop), stream_(std::move(stream)) {}
  io::Loop& loop() { return loop_; }
  io::Stream& stream() { return *stream_; }
  // Valid until the next fill() or consume().
  std::string_view received() const { return {storage_.data() + start_, end_ - start_}; }
  void consume(size_t bytes);
  // Reads more; the number of new bytes, 0 at the end of the stream. The caller bounds what piles up.
  io::Task<Result<size_t>> fill();
  // Timeout, and the stream closed, when the peer takes nothing for `stall`. `data` outlives the task.
  io::Task<Result<void>> write(std::string_view data, Duration stall);

 private:
  io::Loop& loop_;
  std::unique_ptr<io::Stream> stream_;
  std::vector<char> storage_;
  size_t start_ = 0;
  size_t end_ = 0;
};

// A body as it arrives on a connection, which outlives it.
class FramedBody final : public BodyReader {
 public:
  FramedBody(Connection& connection, wire::BodyFraming framing)
      : connection_(connection), decoder_(framing) {}
  io::Task<Result<std::string>> read_some() override;
  bool done() const { return decoder_.done(); }

 private:
  Connection& connection_;
  wire::BodyDecoder decoder_;
};

// The stream under a connection after an upgrade: bytes already received come first.
class RawStream final : public io::Stream {
 public:
  explicit RawStream(Connection& connection) : connection_(connection) {}
  io::Task<Result<size_t>> read(std::span<char> buffer) override;
  io::Task<Result<void>> write(std::string_view data) override { return connection_.stream().write(data); }
  void shutdown_write() override { connection_.stream().shutdown_write(); }
  void close() override { connection_.stream().close(); }
  std::string peer() const override { return connection_.stream().peer(); }

 private:
  Connection& connection_;
};

}  // namespace skiff::net
