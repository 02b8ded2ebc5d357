#include "kube/client/informer.h"

namespace skiff::kube {

namespace {
const json::Value kNothing;
}

std::string object_key(const std::string& name_space, const std::string& name) {
  return name_space.empty() ? name : name_space + "/" + name;
}

std::string object_key(const json::Value& object) {
  const json::Value& metadata = object["metadata"];
  return object_key(metadata["namespace"].str(), metadata["name"].str());
}

Informer::Informer(io::Loop& loop, Client& client, std::string path, std::string query)
    : client_(client), path_(std::move(path)), query_(std::move(query)), scope_(loop) {}

void Informer::add_index(std::string name, Indexer indexer) {
  indexes_[std::move(name)].indexer = std::move(indexer);
}

void Informer::start() {
  scope_.spawn(client_.follow(path_, query_, [this](const ObjectChange& change) { on_event(change); }));
}

void Informer::on_event(const ObjectChange& change) {
  switch (change.kind) {
    case ObjectChange::Kind::kReset:
      unseen_.clear();
      for (const auto& [key, object] : objects_) unseen_[key] = true;
      return;
    case ObjectChange::Kind::kUpsert:
      return put(change.object);
    case ObjectChange::Kind::kRemoved:
      return drop(object_key(change.object), &change.object);
    case ObjectChange::Kind::kSynced:
      return finish_list();
  }
}

void Informer::put(const json::Value& object) {
  const std::string key = object_key(object);
  unseen_.erase(key);
  json::Value& slot = objects_[key];
  const json::Value before = std::exchange(slot, object);
  if (!before.is_null() && before["metadata"]["resourceVersion"] == object["metadata"]["resourceVersion"] &&
      before["metadata"]["uid"] == object["metadata"]["uid"]) {
    return;  // a list after a lost watch tells what is known
  }
  index(key, before, object);
  for (const auto& listener : listeners_) listener(before, object);
}

void Informer::drop(const std::string& key, const json::Value* last) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  const json::Value known = found->second;
  objects_.erase(found);
  index(key, known, kNothing);
  for (const auto& listener : listeners_) listener(last ? *last : known, kNothing);
}

void Informer::index(const std::string& key, const json::Value& before, const json::Value& after) {
  using Values = std::vector<std::string>;
  for (auto& [name, entry] : indexes_) {
    const Values was = before.is_null() ? Values() : entry.indexer(before);
    const Values is = after.is_null() ? Values() : entry.indexer(after);
    if (was == is) continue;
    for (const auto& value : was) entry.keys.erase({value, key});
    for (const auto& value : is) entry.keys.emplace(value, key);
  }
}

void Informer::finish_list() {
  const auto gone = std::exchange(unseen_, {});
  for (const auto& [key, unused] : gone) drop(key, nullptr);
  if (std::exchange(synced_, true)) return;
  for (const auto& callback : synced_callbacks_) callback();
}

const json::Value& Informer::find(const std::string& name_space, const std::string& name) const {
  return find_key(object_key(name_space, name));
}

const json::Value& Informer::find_key(const std::string& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? kNothing : found->second;
}

std::vector<json::Value> Informer::list() const {
  std::vector<json::Value> out;
  out.reserve(objects_.size());
  for (const auto& [key, object] : objects_) out.push_back(object);
  return out;
}

std::vector<json::Value> Informer::list(const std::string& name_space) const {
  std::vector<json::Value> out;
  const std::string prefix = name_space + "/";
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    out.push_back(at->second);
  }
  return out;
}

std::vector<json::Value> Informer::list_index(const std::string& index_name, const std::string& value) const {
  std::vector<json::Value> out;
  const auto found = indexes_.find(index_name);
  if (found == indexes_.end()) return out;
  const auto& keys = found->second.keys;
  for (auto at = keys.lower_bound({value, ""}); at != keys.end() && at->first == value; ++at) {
    out.push_back(find_key(at->second));
  }
  return out;
}

}  // namespace skiff::kube
