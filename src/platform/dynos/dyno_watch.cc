#include "platform/dynos/dyno_watch.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_lines.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr int kNameAttempts = 5;
constexpr Duration kNamePause = std::chrono::milliseconds(200);

bool container_ran(const Value& pod) {
  const Value& status = pod["status"]["containerStatuses"].at(0);
  return status["state"].contains("running") || status["state"].contains("terminated") ||
         status["lastState"].contains("terminated");
}

}  // namespace

DynoWatch::DynoWatch(io::Loop& loop, kube::Client& api, kube::Informer& pods, LogStore& logs,
                     LogCollector& collector)
    : loop_(loop), api_(api), logs_(logs), collector_(collector), pods_(pods), scope_(loop) {
  pods_.on_change([this](const Value& before, const Value& after) { on_change(before, after); });
  pods_.on_synced([this] { on_synced(); });
}

void DynoWatch::on_change(const Value& before, const Value& after) {
  if (after.is_null()) {
    const std::string& uid = before["metadata"]["uid"].str();
    names_.forget(uid);
    collector_.pod_gone(uid);
  } else if (pods_.has_synced()) {
    observe(after);
  }
}

// No name is given before all that are taken are known.
void DynoWatch::on_synced() {
  auto all = pods_.list();
  std::sort(all.begin(), all.end(), [](const Value& a, const Value& b) {
    return a["metadata"]["creationTimestamp"].str() < b["metadata"]["creationTimestamp"].str();
  });
  for (const auto& pod : all) observe(pod);
}

void DynoWatch::observe(const Value& pod) {
  const std::string name = name_of(pod);
  tell(pod, name);
  if (container_ran(pod)) collect(pod, name);
}

std::string DynoWatch::name_of(const Value& pod) {
  if (auto name = names_.find(pod); !name.empty()) return name;
  if (pod["metadata"].contains("deletionTimestamp")) return fallback_dyno_name(pod);
  const auto name = names_.assign(pod, pods_.list(pod["metadata"]["namespace"].str()));
  scope_.spawn(write_name(this,
                          fmt::format("/api/v1/namespaces/{}/pods/{}", pod["metadata"]["namespace"].str(),
                                      pod["metadata"]["name"].str()),
                          name));
  return name;
}

io::Task<void> DynoWatch::write_name(DynoWatch* self, std::string path, std::string name) {
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    auto patch = dyno_name_patch(name);
    auto written = co_await self->api_.patch(path, kube::PatchType::kMerge, std::move(patch));
    if (written || written.error().code == Code::kNotFound) co_return;
    log_warn("dyno has no name in the cluster", {{"pod", path}, {"error", written.error().message}});
    co_await io::sleep(self->loop_, kNamePause);
  }
}

void DynoWatch::tell(const Value& pod, const std::string& name) {
  const std::string &app = pod["metadata"]["namespace"].str(), &uid = pod["metadata"]["uid"].str();
  ToldDyno told = parse_told(logs_.origin(app, uid).mark);
  const auto lines = plan_dyno_lines(pod, told);
  logs_.append_marked(app, uid, encode_told(told), {loop_.wall_now(), "heroku", name}, lines);
}

void DynoWatch::collect(const Value& pod, const std::string& name) {
  const Value& metadata = pod["metadata"];
  collector_.follow({metadata["uid"].str(), metadata["namespace"].str(), metadata["name"].str(),
                     pod["spec"]["containers"].at(0)["name"].str(), name});
}

}  // namespace skiff::platform
