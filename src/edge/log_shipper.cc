#include "edge/log_shipper.h"

#include "io/sync.h"

namespace skiff::edge {
namespace {

constexpr Millis kPoll{100};  // with the worker's delay a line is on its way in 200 ms
constexpr Millis kRetry{500};
// The platform takes a batch in one go, 0.3 ms with this size, while who shares its processor waits.
constexpr size_t kBatchBytes = 64 << 10;

// The platform says that this batch will never be welcome; any other error may pass.
bool refused_for_good(int status) {
  return status == 400 || status == 413;
}

}  // namespace

io::Task<void> LogShipper::deliver(LogBatch batch) {
  net::Request request;
  request.method = "POST";
  request.target = "/logs";
  request.headers.set("Content-Type", "application/logplex-1");
  if (!token_.empty()) request.headers.set("Authorization", "Bearer " + token_);
  request.body = batch.take_frames();
  for (;;) {
    auto response = co_await client_.send(request);
    if (response && response->status < 300) co_return;
    if (response && refused_for_good(response->status)) {
      queue_.count_lost(batch.counts());
      co_await io::sleep(loop_, kRetry);
      co_return;
    }
    co_await io::sleep(loop_, kRetry);
  }
}

io::Task<void> LogShipper::run() {
  for (;;) {
    auto batch = queue_.take(kBatchBytes);
    if (!batch.empty()) {
      co_await deliver(std::move(batch));
      continue;
    }
    if (finishing_) co_return;
    co_await io::sleep(loop_, kPoll);
  }
}

}  // namespace skiff::edge
