#include "kube/client/patient_client.h"

#include "base/log.h"
#include "io/sync.h"
#include "net/http_client.h"

namespace skiff::kube {

namespace {

constexpr Duration kPause = std::chrono::milliseconds(200);
constexpr int kNotReady = 503;  // the server took nothing

bool said_not_ready(const Error& error) {
  const auto* details = dynamic_cast<const StatusDetails*>(error.details.get());
  return details && details->http_code == kNotReady;
}

}  // namespace

io::Task<bool> PatientClient::pause(Error error, Again again, MonotonicTime begin) {
  if (error.code != Code::kUnavailable) co_return false;
  const bool untouched = net::was_not_sent(error) || said_not_ready(error);
  if (!untouched && again == Again::kHarmful) co_return false;
  const Duration waited = loop_.now() - begin;
  if (waited + kPause > kApiPatience) co_return false;
  if (waited < kPause) log_info("waiting for the API server", {{"error", error.message}});
  co_await io::sleep(loop_, kPause);
  co_return true;
}

template <typename Answer, typename Ask>
io::Task<Answer> PatientClient::insist(Again again, Ask ask) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await ask();
    if (answer) co_return answer;
    const bool more = co_await pause(answer.error(), again, begin);
    if (!more) co_return answer;
  }
}

io::Task<Result<json::Value>> PatientClient::get(std::string path) {
  return insist<Result<json::Value>>(Again::kHarmless, [this, path = std::move(path)] {
    return io::with_timeout(loop_, kApiPatience, inner_.get(path));
  });
}

io::Task<Result<json::Value>> PatientClient::list(std::string path, std::string query) {
  return insist<Result<json::Value>>(Again::kHarmless,
                                     [this, path = std::move(path), query = std::move(query)] {
                                       return io::with_timeout(loop_, kApiPatience, inner_.list(path, query));
                                     });
}

io::Task<Result<json::Value>> PatientClient::create(std::string path, json::Value object) {
  return insist<Result<json::Value>>(
      Again::kHarmful,
      [this, path = std::move(path), object = std::move(object)] { return inner_.create(path, object); });
}

// Its own change of the first try would be a conflict for the second.
io::Task<Result<json::Value>> PatientClient::update(std::string path, json::Value object) {
  return insist<Result<json::Value>>(
      Again::kHarmful,
      [this, path = std::move(path), object = std::move(object)] { return inner_.update(path, object); });
}

io::Task<Result<json::Value>> PatientClient::patch(std::string path, PatchType type, json::Value patch) {
  return insist<Result<json::Value>>(type == PatchType::kJson ? Again::kHarmful : Again::kHarmless,
                                     [this, type, path = std::move(path), patch = std::move(patch)] {
                                       return inner_.patch(path, type, patch);
                                     });
}

io::Task<Result<void>> PatientClient::remove(std::string path, json::Value options) {
  return insist<Result<void>>(Again::kHarmful, [this, path = std::move(path), options = std::move(options)] {
    return inner_.remove(path, options);
  });
}

io::Task<void> PatientClient::follow(std::string path, std::string query, ChangeCallback on_change) {
  co_await inner_.follow(std::move(path), std::move(query), std::move(on_change));
}

}  // namespace skiff::kube
