#include "net/connection.h"

#include <algorithm>
#include <cstring>

namespace skiff::net {

namespace {
constexpr size_t kInitialBuffer = 16 << 10;  // a head and a small body; what an idle connection costs
constexpr size_t kMinimalRead = 4 << 10;     // below this the buffer is compacted or grows
constexpr size_t kWritePiece = 256 << 10;    // progress is checked once a piece
}  // namespace

CloseTimer::CloseTimer(io::Loop& loop, io::Stream& stream, Duration limit) : loop_(loop) {
  timer_ = loop.add_timer_after(limit, [this, &stream] {
    timer_ = 0;
    fired_ = true;
    stream.close();
  });
}

void Connection::consume(size_t bytes) {
  start_ += bytes;
  if (start_ == end_) start_ = end_ = 0;
}

io::Task<Result<size_t>> Connection::fill() {
  if (storage_.empty()) storage_.resize(kInitialBuffer);
  if (storage_.size() - end_ < kMinimalRead && start_ > 0) {
    std::memmove(storage_.data(), storage_.data() + start_, end_ - start_);
    end_ -= start_;
    start_ = 0;
  }
  if (storage_.size() - end_ < kMinimalRead) storage_.resize(storage_.size() * 2);
  const std::span<char> room(storage_.data() + end_, storage_.size() - end_);
  auto got = co_await stream_->read(room);
  if (got) end_ += *got;
  co_return got;
}

io::Task<Result<void>> Connection::write(std::string_view data, Duration stall) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kWritePiece);
    data.remove_prefix(piece.size());
    CloseTimer timer(loop_, *stream_, stall);
    auto written = co_await stream_->write(piece);
    if (timer.fired()) co_return fail(Code::kTimeout, "the peer " + stream_->peer() + " stopped reading");
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  co_return Result<void>{};
}

io::Task<Result<std::string>> FramedBody::read_some() {
  std::string out;
  while (!decoder_.done()) {
    if (!connection_.received().empty()) {
      const auto used = decoder_.decode(connection_.received(), out);
      if (!used) co_return std::unexpected(used.error());
      connection_.consume(*used);
      if (!out.empty()) break;
      continue;
    }
    auto got = co_await connection_.fill();
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) {
      auto ended = decoder_.end_of_input();
      SKIFF_CO_RETURN_IF_ERROR(ended);
    }
  }
  co_return out;
}

io::Task<Result<size_t>> RawStream::read(std::span<char> buffer) {
  const std::string_view early = connection_.received();
  if (!early.empty()) {
    const size_t take = std::min(early.size(), buffer.size());
    std::memcpy(buffer.data(), early.data(), take);
    connection_.consume(take);
    co_return take;
  }
  auto got = co_await connection_.stream().read(buffer);
  co_return got;
}

}  // namespace skiff::net
