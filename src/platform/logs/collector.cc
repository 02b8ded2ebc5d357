#include "platform/logs/collector.h"

#include <fmt/core.h>

#include <unistd.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "platform/apps/manifests.h"

namespace skiff::platform {

namespace {
constexpr Duration kRetryPause = std::chrono::milliseconds(300);
constexpr int kFirstError = 400;

bool container_ran(const json::Value& pod) {
  for (const auto& status : pod["status"]["containerStatuses"].items()) {
    if (status["state"].contains("running") || status["state"].contains("terminated")) return true;
  }
  return false;
}
}  // namespace

LogCollector::LogCollector(io::Loop& loop, io::Network& network, kube::Client& api, LogStore& store,
                           net::ClientOptions options, std::string state_folder)
    : loop_(loop),
      api_(api),
      store_(store),
      client_(loop, network, std::move(options)),
      state_folder_(std::move(state_folder)),
      scope_(loop) {}

void LogCollector::start() {
  scope_.spawn(follow_pods(this));
}

io::Task<void> LogCollector::follow_pods(LogCollector* self) {
  const std::string query = "labelSelector=" + url_encode(kProcessLabel);
  co_await self->api_.follow("/api/v1/pods", query,
                             [self](const kube::ObjectChange& change) { self->on_pod(change); });
}

void LogCollector::on_pod(const kube::ObjectChange& change) {
  const std::string uid = change.object["metadata"]["uid"].str();
  if (change.kind == kube::ObjectChange::Kind::kRemoved) {
    if (auto found = sources_.find(uid); found != sources_.end()) found->second.ended = true;
    return;
  }
  if (change.kind != kube::ObjectChange::Kind::kUpsert || sources_.contains(uid)) return;
  if (!container_ran(change.object)) return;
  Source source;
  source.last_time = std::string(trim(io::read_file(state_folder_ + "/" + uid).value_or("")));
  sources_[uid] = source;
  const auto& labels = change.object["metadata"]["labels"];
  scope_.spawn(collect(this, uid, labels[kAppLabel].str(), change.object["metadata"]["name"].str(),
                       change.object["spec"]["containers"].at(0)["name"].str(), labels[kProcessLabel].str()));
}

io::Task<void> LogCollector::collect(LogCollector* self, std::string uid, std::string app, std::string pod,
                                     std::string container, std::string process) {
  const std::string short_name = process + "." + pod.substr(pod.rfind('-') + 1);
  for (;;) {
    std::string target = fmt::format(
        "/api/v1/namespaces/{}/pods/{}/log?follow=true&timestamps=true&container={}", app, pod, container);
    const std::string since = self->sources_[uid].last_time;
    if (!since.empty()) target += "&sinceTime=" + url_encode(since);
    const bool reachable = co_await self->read_log(std::move(target), uid, app, short_name);
    const bool ended = self->sources_[uid].ended;
    if (ended) break;
    if (!reachable) log_debug("pod log not readable yet", {{"pod", pod}});
    co_await io::sleep(self->loop_, kRetryPause);
  }
  self->sources_.erase(uid);
  ::unlink((self->state_folder_ + "/" + uid).c_str());
}

io::Task<bool> LogCollector::read_log(std::string target, std::string uid, std::string app,
                                      std::string process) {
  net::Request request;
  request.target = std::move(target);
  auto stream = co_await client_.open(std::move(request));
  if (!stream || (*stream)->head().status >= kFirstError) co_return false;
  std::string pending;
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    if (!piece || piece->empty()) co_return true;
    pending += *piece;
    size_t from = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', from)) {
      store_line(uid, app, process, std::string_view(pending).substr(from, end - from));
      from = end + 1;
    }
    pending.erase(0, from);
    auto written = io::write_file_atomic(state_folder_ + "/" + uid, sources_[uid].last_time);
  }
}

void LogCollector::store_line(const std::string& uid, const std::string& app, const std::string& process,
                              std::string_view line) {
  const auto halves = split_once(line, " ");
  const auto time = parse_rfc3339(halves.before);
  Source& source = sources_[uid];
  // Times of one container only grow: what is not newer was stored before.
  if (!time || halves.before <= source.last_time) return;
  source.last_time = std::string(halves.before);
  store_.append(app, *time, "app", process, halves.after);
}

}  // namespace skiff::platform
