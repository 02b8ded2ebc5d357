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

io::Task<Result<json::Value>> PatientClient::get(std::string path) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.get(path);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), Again::kHarmless, begin);
    if (!again) co_return answer;
  }
}

io::Task<Result<json::Value>> PatientClient::list(std::string path, std::string query) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.list(path, query);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), Again::kHarmless, begin);
    if (!again) co_return answer;
  }
}

io::Task<Result<json::Value>> PatientClient::create(std::string path, json::Value object) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.create(path, object);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), Again::kHarmful, begin);
    if (!again) co_return answer;
  }
}

// Its own change of the first try would be a conflict for the second.
io::Task<Result<json::Value>> PatientClient::update(std::string path, json::Value object) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.update(path, object);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), Again::kHarmful, begin);
    if (!again) co_return answer;
  }
}

io::Task<Result<json::Value>> PatientClient::patch(std::string path, PatchType type, json::Value patch) {
  const Again repeated = type == PatchType::kJson ? Again::kHarmful : Again::kHarmless;
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.patch(path, type, patch);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), repeated, begin);
    if (!again) co_return answer;
  }
}

io::Task<Result<void>> PatientClient::remove(std::string path, json::Value options) {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    auto answer = co_await inner_.remove(path, options);
    if (answer) co_return answer;
    const bool again = co_await pause(answer.error(), Again::kHarmful, begin);
    if (!again) co_return answer;
  }
}

io::Task<void> PatientClient::follow(std::string path, std::string query, ChangeCallback on_change) {
  co_await inner_.follow(std::move(path), std::move(query), std::move(on_change));
}

}  // namespace skiff::kube
