#include "platform/builds/pod_watch.h"

#include <fmt/core.h>

#include <algorithm>

namespace skiff::platform {

PodWatch::PodWatch(io::Loop& loop, kube::Client& api, const std::string& name_space, const std::string& name)
    : loop_(loop), changed_(loop), scope_(loop) {
  scope_.spawn(api.follow(fmt::format("/api/v1/namespaces/{}/pods", name_space),
                          "fieldSelector=metadata.name%3D" + name,
                          [this](const kube::ObjectChange& change) { on_change(change); }));
}

void PodWatch::on_change(const kube::ObjectChange& change) {
  switch (change.kind) {
    case kube::ObjectChange::Kind::kReset:
      pod_ = json::Value();
      return;
    case kube::ObjectChange::Kind::kUpsert:
      pod_ = change.object;
      break;
    case kube::ObjectChange::Kind::kRemoved:
      gone_ = true;
      break;
    case kube::ObjectChange::Kind::kSynced:
      gone_ = pod_.is_null();
      break;
  }
  changed_.set();
}

std::string PodWatch::what_it_waits_for() const {
  const auto& waiting = pod_["status"]["containerStatuses"].at(0)["state"]["waiting"];
  const std::string& reason = waiting["reason"].str();
  const std::string message = waiting["message"].str_or(reason);
  if (is_being_made())
    return "waits for its container, which is being made" + (message == reason ? "" : ": " + message);
  if (!message.empty()) return "does not start yet: " + message;
  const auto* refused = refused_place();
  return refused ? "waits for room: " + (*refused)["message"].str_or("no node takes it") : "";
}

bool PodWatch::is_being_made() const {
  const auto& reason = pod_["status"]["containerStatuses"].at(0)["state"]["waiting"]["reason"].str();
  return reason == "ContainerCreating" || reason == "PodInitializing";
}

const json::Value* PodWatch::refused_place() const {
  for (const auto& condition : pod_["status"]["conditions"].items()) {
    if (condition["type"].str() == "PodScheduled" && condition["status"].str() == "False") return &condition;
  }
  return nullptr;
}

std::string PodWatch::image_failure() const {
  const auto& waiting = pod_["status"]["containerStatuses"].at(0)["state"]["waiting"];
  const std::string& reason = waiting["reason"].str();
  if (reason != "ErrImagePull" && reason != "ImagePullBackOff") return "";
  return waiting["message"].str_or(reason);
}

bool PodWatch::has_begun() const {
  const std::string phase = pod_["status"]["phase"].str();
  return phase == "Running" || phase == "Succeeded" || phase == "Failed";
}

io::Task<Result<void>> PodWatch::next_change(io::Event* changed) {
  co_await changed->wait();
  co_return Result<void>{};
}

io::Task<void> PodWatch::change(Duration limit) {
  changed_.reset();
  auto heard = co_await io::with_timeout(loop_, limit, next_change(&changed_));
}

io::Task<Result<json::Value>> PodWatch::reach(std::vector<std::string> phases) {
  for (;;) {
    if (gone_) co_return fail(Code::kNotFound, "somebody deleted the build's pod; push again");
    const std::string phase = pod_["status"]["phase"].str();
    if (std::find(phases.begin(), phases.end(), phase) != phases.end()) co_return pod_;
    changed_.reset();
    co_await changed_.wait();
  }
}

}  // namespace skiff::platform
