#include "node/agent/pod_manager.h"

#include "base/log.h"

namespace skiff::node {

namespace {
bool is_terminal(const json::Value& pod) {
  const auto& phase = pod["status"]["phase"].str();
  return phase == "Succeeded" || phase == "Failed";
}

// Names become folders: whatever the API lets through, none may lead elsewhere.
bool is_safe_name(const std::string& name) {
  constexpr size_t kMaxName = 253;
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

bool is_safe_pod(const json::Value& pod) {
  const auto& metadata = pod["metadata"];
  if (!is_safe_name(metadata["uid"].str()) || !is_safe_name(metadata["name"].str())) return false;
  for (const auto& def : list_containers(pod)) {
    if (!is_safe_name(def.name)) return false;
  }
  for (const auto& volume : pod["spec"]["volumes"].items()) {
    if (!is_safe_name(volume["name"].str())) return false;
  }
  return is_safe_name(metadata["namespace"].str());
}
}  // namespace

void PodManager::on_change(const ObjectChange& change) {
  switch (change.kind) {
    case ObjectChange::Kind::kReset:
      listing_ = true;
      listed_.clear();
      break;
    case ObjectChange::Kind::kUpsert:
      if (listing_) listed_.insert(change.object["metadata"]["uid"].str());
      upsert(change.object);
      break;
    case ObjectChange::Kind::kRemoved:
      removed(change.object["metadata"]["uid"].str());
      break;
    case ObjectChange::Kind::kSynced: {
      listing_ = false;
      begin_leftovers();
      std::vector<std::string> gone;
      for (const auto& [uid, worker] : workers_) {
        if (!listed_.contains(uid)) gone.push_back(uid);
      }
      for (const auto& uid : gone) removed(uid);
      break;
    }
  }
}

void PodManager::upsert(const json::Value& pod) {
  if (!is_safe_pod(pod)) {
    log_error("pod refused: a name in it is no file name", {{"pod", pod["metadata"]["name"].str()}});
    return;
  }
  const std::string uid = pod["metadata"]["uid"].str();
  leftovers_.erase(uid);
  if (const auto worker = workers_.find(uid); worker != workers_.end()) {
    worker->second->update(pod);
    return;
  }
  // Done, torn down and told before: there is nothing to do until it is deleted.
  // Nor when only finalizers of others keep its object.
  const auto& metadata = pod["metadata"];
  const bool deleted =
      !metadata["deletionTimestamp"].is_null() && metadata["deletionGracePeriodSeconds"].as_int() > 0;
  if (is_terminal(pod) && !deleted && services_.runtime.list(uid).empty()) return;
  log_info("pod taken on",
           {{"pod", pod["metadata"]["namespace"].str() + "/" + pod["metadata"]["name"].str()}, {"uid", uid}});
  workers_[uid] = std::make_unique<PodWorker>(services_, pod, [this, uid] { finished(uid); });
}

void PodManager::add_leftover(const json::Value& pod) {
  const std::string uid = pod["metadata"]["uid"].str();
  if (is_safe_pod(pod) && !workers_.contains(uid)) leftovers_[uid] = pod;
}

void PodManager::begin_leftovers() {
  const auto leftovers = std::exchange(leftovers_, {});
  for (const auto& [uid, pod] : leftovers) {
    const std::string name = uid;
    workers_[name] = std::make_unique<PodWorker>(services_, pod, [this, name] { finished(name); });
  }
}

void PodManager::removed(const std::string& uid) {
  const auto worker = workers_.find(uid);
  if (worker != workers_.end()) worker->second->object_gone();
}

void PodManager::finished(const std::string& uid) {
  const auto worker = workers_.find(uid);
  if (worker == workers_.end()) return;
  log_info("pod gone", {{"uid", uid}});
  workers_.erase(worker);
}

void PodManager::on_container_exit(const ContainerKey& key) {
  const auto worker = workers_.find(key.pod_uid);
  if (worker != workers_.end()) worker->second->container_ended(key.name);
}

void PodManager::evict(const std::string& uid, const std::string& message) {
  const auto worker = workers_.find(uid);
  if (worker != workers_.end()) worker->second->evict(message);
}

const json::Value* PodManager::find(const std::string& uid) const {
  const auto worker = workers_.find(uid);
  return worker == workers_.end() ? nullptr : &worker->second->pod();
}

const json::Value* PodManager::find(const std::string& name_space, const std::string& name) const {
  for (const auto& [uid, worker] : workers_) {
    const auto& metadata = worker->pod()["metadata"];
    if (worker->facts().object_gone) continue;
    if (metadata["namespace"].str() == name_space && metadata["name"].str() == name) return &worker->pod();
  }
  return nullptr;
}

std::vector<json::Value> PodManager::all() const {
  std::vector<json::Value> out;
  for (const auto& [uid, worker] : workers_) out.push_back(worker->pod());
  return out;
}

std::vector<std::string> PodManager::images_in_use() const {
  std::vector<std::string> out;
  for (const auto& [uid, worker] : workers_) {
    for (const auto& def : list_containers(worker->pod())) out.push_back(def.spec["image"].str());
  }
  return out;
}

}  // namespace skiff::node
