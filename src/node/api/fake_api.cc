#include "node/api/fake_api.h"

#include "base/time.h"
#include "kube/patch/patch.h"

namespace skiff::node {

namespace {

// "/api/v1/pods" holds the pods of every namespace.
bool holds(const std::string& collection, const std::string& path) {
  if (path.starts_with(collection + "/") && path.find('/', collection.size() + 1) == std::string::npos)
    return true;
  const size_t slash = collection.rfind('/');
  const size_t name = path.rfind('/');
  if (name == std::string::npos) return false;
  const std::string kind = collection.substr(slash);
  return collection.find("/namespaces/") == std::string::npos &&
         path.starts_with(collection.substr(0, slash)) && path.substr(0, name).ends_with(kind);
}

}  // namespace

void FakeApi::tell(const std::string& path, ObjectChange change) {
  const auto followers = followers_;
  for (const auto& follower : followers) {
    if (!holds(follower->collection, path)) continue;
    loop_.post([follower, change] {
      if (follower->callback) follower->callback(change);
    });
  }
}

void FakeApi::put(const std::string& path, json::Value object) {
  object.edit("metadata").set("resourceVersion", std::to_string(++revision_));
  objects_[path] = object;
  tell(path, {ObjectChange::Kind::kUpsert, object});
}

void FakeApi::begin_delete(const std::string& path, int64_t grace_seconds) {
  json::Value object = objects_[path];
  object.edit("metadata").set("deletionTimestamp", format_rfc3339(loop_.wall_now()));
  object.edit("metadata").set("deletionGracePeriodSeconds", grace_seconds);
  put(path, object);
}

void FakeApi::erase(const std::string& path) {
  const json::Value object = objects_[path];
  objects_.erase(path);
  tell(path, {ObjectChange::Kind::kRemoved, object});
}

json::Value FakeApi::find(const std::string& path) const {
  const auto found = objects_.find(path);
  return found == objects_.end() ? json::Value() : found->second;
}

std::vector<json::Value> FakeApi::list(const std::string& collection) const {
  std::vector<json::Value> out;
  for (const auto& [path, object] : objects_) {
    if (holds(collection, path)) out.push_back(object);
  }
  return out;
}

io::Task<Result<json::Value>> FakeApi::get(std::string path) {
  const auto found = objects_.find(path);
  if (found == objects_.end()) co_return fail(Code::kNotFound, path + " not found");
  co_return found->second;
}

io::Task<Result<json::Value>> FakeApi::list(std::string path, std::string) {
  json::Value items = json::Value::array();
  for (const auto& object : list(path)) items.push_back(object);
  co_return json::Value::object({{"metadata", json::Value::object()}, {"items", items}});
}

io::Task<Result<json::Value>> FakeApi::create(std::string path, json::Value object) {
  std::string name = object["metadata"]["name"].str();
  if (name.empty()) name = object["metadata"]["generateName"].str() + std::to_string(++names_);
  object.edit("metadata").set("name", name);
  const std::string target = path + "/" + name;
  if (objects_.contains(target)) co_return fail(Code::kAlreadyExists, target + " already exists");
  put(target, object);
  co_return find(target);
}

io::Task<Result<json::Value>> FakeApi::update(std::string path, json::Value object) {
  if (!objects_.contains(path)) co_return fail(Code::kNotFound, path + " not found");
  put(path, object);
  co_return find(path);
}

io::Task<Result<json::Value>> FakeApi::patch(std::string path, kube::PatchType, json::Value patch) {
  if (path.ends_with("/status")) {
    path.resize(path.size() - std::string_view("/status").size());
    statuses_[path].push_back(patch["status"]);
  }
  if (!objects_.contains(path)) co_return fail(Code::kNotFound, path + " not found");
  json::Value object = kube::apply_merge_patch(objects_[path], patch);
  put(path, object);
  co_return object;
}

io::Task<Result<void>> FakeApi::remove(std::string path, json::Value options) {
  if (!objects_.contains(path)) co_return fail(Code::kNotFound, path + " not found");
  const auto& uid = options["preconditions"]["uid"].str();
  if (!uid.empty() && uid != objects_[path]["metadata"]["uid"].str())
    co_return fail(Code::kConflict, "another uid");
  erase(path);
  co_return Result<void>();
}

namespace {
struct Unfollow {
  std::function<void()> leave;
  ~Unfollow() { leave(); }
};
}  // namespace

io::Task<void> FakeApi::follow(std::string path, std::string query, ChangeCallback callback) {
  static_cast<void>(query);
  auto follower = std::make_shared<Follower>(Follower{path, std::move(callback)});
  followers_.push_back(follower);
  Unfollow guard{[this, follower] {
    follower->callback = nullptr;
    followers_.remove(follower);
  }};
  follower->callback({ObjectChange::Kind::kReset, {}});
  for (const auto& object : list(path)) follower->callback({ObjectChange::Kind::kUpsert, object});
  follower->callback({ObjectChange::Kind::kSynced, {}});
  io::Event never(loop_);
  co_await never.wait();
}

}  // namespace skiff::node
