#include "io/sim_stream.h"

#include <algorithm>
#include <cstring>

namespace skiff::io {

namespace {

constexpr size_t kCapacity = 64 << 10;

// One direction.
struct Pipe {
  explicit Pipe(Loop& loop) : changed_for_reader(loop), changed_for_writer(loop) {}
  std::string bytes;
  bool ended = false;   // the writer is done
  bool broken = false;  // an end is gone: nobody reads any more
  Event changed_for_reader;
  Event changed_for_writer;
  void notify() {
    changed_for_reader.set();
    changed_for_writer.set();
  }
};

class SimStream final : public Stream {
 public:
  SimStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, std::string peer)
      : in_(std::move(in)), out_(std::move(out)), peer_(std::move(peer)) {}
  ~SimStream() override { close(); }

  Task<Result<size_t>> read(std::span<char> buffer) override {
    const auto pipe = in_;
    for (;;) {
      if (closed_) co_return fail(Code::kCancelled, "the stream is closed");
      if (!pipe->bytes.empty()) {
        const size_t take = std::min(buffer.size(), pipe->bytes.size());
        std::memcpy(buffer.data(), pipe->bytes.data(), take);
        pipe->bytes.erase(0, take);
        pipe->changed_for_writer.set();
        co_return take;
      }
      if (pipe->ended) co_return size_t{0};
      pipe->changed_for_reader.reset();
      co_await pipe->changed_for_reader.wait();
    }
  }

  Task<Result<void>> write(std::string_view data) override {
    const auto pipe = out_;
    while (!data.empty()) {
      if (closed_) co_return fail(Code::kCancelled, "the stream is closed");
      if (pipe->broken || pipe->ended)
        co_return fail(Code::kUnavailable, "write to " + peer_ + ": broken pipe");
      const size_t take = std::min(data.size(), kCapacity - pipe->bytes.size());
      if (take > 0) {
        pipe->bytes.append(data.substr(0, take));
        data.remove_prefix(take);
        pipe->changed_for_reader.set();
        continue;
      }
      pipe->changed_for_writer.reset();
      co_await pipe->changed_for_writer.wait();
    }
    co_return Result<void>{};
  }

  void shutdown_write() override {
    out_->ended = true;
    out_->notify();
  }
  void close() override {
    if (std::exchange(closed_, true)) return;
    shutdown_write();
    in_->broken = true;
    in_->notify();
  }
  std::string peer() const override { return peer_; }

 private:
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  std::string peer_;
  bool closed_ = false;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_sim_pair(Loop& loop) {
  const auto there = std::make_shared<Pipe>(loop);
  const auto back = std::make_shared<Pipe>(loop);
  return {std::make_unique<SimStream>(back, there, "sim-b"),
          std::make_unique<SimStream>(there, back, "sim-a")};
}

class SimNetwork::SimListener final : public Listener {
 public:
  SimListener(Loop& loop, Address address)
      : arrivals_(std::make_shared<Arrivals>(loop)), address_(std::move(address)) {}
  std::weak_ptr<Arrivals> arrivals() const { return arrivals_; }
  const Address& address() const override { return address_; }
  Task<Result<std::unique_ptr<Stream>>> accept() override {
    auto stream = co_await arrivals_->pop();
    if (!stream) co_return fail(Code::kCancelled, "the listener is closed");
    co_return std::move(*stream);
  }

 private:
  std::shared_ptr<Arrivals> arrivals_;
  Address address_;
};

Result<std::unique_ptr<Listener>> SimNetwork::listen(const Address& address) {
  Address bound = address;
  if (bound.unix_path.empty() && bound.port == 0) bound.port = ++last_port_;
  auto& place = listeners_[bound.to_string()];
  if (!place.expired()) return fail(Code::kUnavailable, "listen on " + bound.to_string() + ": in use");
  auto listener = std::make_unique<SimListener>(loop_, bound);
  place = listener->arrivals();
  return listener;
}

Task<Result<std::unique_ptr<Stream>>> SimNetwork::connect(Address address) {
  const auto found = listeners_.find(address.to_string());
  const auto arrivals = found == listeners_.end() ? nullptr : found->second.lock();
  if (!arrivals) co_return fail(Code::kUnavailable, "connect to " + address.to_string() + ": refused");
  auto [near, far] = make_sim_pair(loop_);
  arrivals->push(std::move(far));
  ++connections_;
  co_return std::move(near);
}

}  // namespace skiff::io
