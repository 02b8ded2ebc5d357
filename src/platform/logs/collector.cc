#include "platform/logs/collector.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"

namespace skiff::platform {

namespace {
constexpr Duration kRetryPause = std::chrono::milliseconds(300);
constexpr int kFirstError = 400;
constexpr int kFirstServerError = 500;
}  // namespace

LogCollector::LogCollector(io::Loop& loop, io::Network& network, LogStore& store, net::ClientOptions options)
    : loop_(loop), store_(store), client_(loop, network, std::move(options)), scope_(loop) {}

void LogCollector::follow(DynoOutput dyno) {
  if (!gone_.emplace(dyno.uid, false).second) return;
  scope_.spawn(collect(this, std::move(dyno)));
}

void LogCollector::pod_gone(const std::string& uid) {
  if (const auto found = gone_.find(uid); found != gone_.end()) found->second = true;
}

io::Task<void> LogCollector::collect(LogCollector* self, DynoOutput dyno) {
  for (;;) {
    // What an instance wrote that ended while nobody read comes before the output of its successor.
    const Reading before = co_await self->read_log(dyno, Instance::kPrevious);
    const Reading now = co_await self->read_log(dyno, Instance::kCurrent);
    const bool gone = self->gone_[dyno.uid];
    if (gone && before != Reading::kUnknown && now != Reading::kUnknown) break;
    if (now != Reading::kRead) log_debug("log of a dyno is not readable yet", {{"pod", dyno.pod}});
    co_await io::sleep(self->loop_, kRetryPause);
  }
  self->gone_.erase(dyno.uid);
  self->store_.forget(dyno.app, dyno.uid);
}

io::Task<LogCollector::Reading> LogCollector::read_log(DynoOutput dyno, Instance instance) {
  const LogPosition stored = store_.origin(dyno.app, dyno.uid).position;
  net::Request request;
  request.target =
      fmt::format("/api/v1/namespaces/{}/pods/{}/log?timestamps=true&container={}&{}=true", dyno.app,
                  dyno.pod, dyno.container, instance == Instance::kPrevious ? "previous" : "follow");
  if (stored.lines > 0) request.target += "&sinceTime=" + url_encode(format_rfc3339_nano(stored.time));
  auto stream = co_await client_.open(std::move(request));
  if (!stream || (*stream)->head().status >= kFirstServerError) co_return Reading::kUnknown;
  if ((*stream)->head().status >= kFirstError) co_return Reading::kNothing;
  OutputCutter cutter(stored);
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    if (!piece || piece->empty()) co_return Reading::kRead;
    store_.append_output(dyno.app, dyno.uid, dyno.name, cutter.add(*piece));
  }
}

}  // namespace skiff::platform
