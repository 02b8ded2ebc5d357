#include "control/fake_cluster.h"

#include "base/strings.h"
#include "control/shared/objects.h"
#include "io/sync.h"
#include "kube/patch/patch.h"

namespace skiff::control {

namespace {

// ".../namespaces/shop/pods/a" belongs to ".../pods".
std::string collection_of(const std::string& path) {
  auto cut = path.substr(0, path.rfind('/'));
  const auto at = cut.find("/namespaces/");
  if (at == std::string::npos) return cut;
  const auto end = cut.find('/', at + 12);
  return end == std::string::npos ? cut : cut.substr(0, at) + cut.substr(end);
}

bool cut_status(std::string& path) {
  if (!path.ends_with("/status")) return false;
  path.resize(path.size() - 7);
  return true;
}

}  // namespace

void FakeCluster::notify(const std::string& path, kube::ObjectChange::Kind kind, const Value& object) {
  const auto collection = collection_of(path);
  for (const auto& watcher : watchers_) {
    if (watcher->collection != collection) continue;
    // Later, as over a network: caches lag.
    loop_.add_timer_after(std::chrono::milliseconds(1), [weak = std::weak_ptr(watcher), kind, object] {
      if (const auto alive = weak.lock()) alive->callback({kind, object});
    });
  }
  if (on_step) on_step();
}

Value FakeCluster::read(const std::string& path) const {
  const auto found = objects_.find(path);
  return found == objects_.end() ? Value() : found->second;
}

std::vector<Value> FakeCluster::all(const std::string& collection) const {
  std::vector<Value> out;
  for (const auto& [path, object] : objects_) {
    if (collection_of(path) == collection || path.substr(0, path.rfind('/')) == collection)
      out.push_back(object);
  }
  return out;
}

Result<Value> FakeCluster::make(const std::string& path, Value object) {
  if (path.ends_with("/binding")) {
    const auto pod_path = path.substr(0, path.size() - 8);
    auto pod = read(pod_path);
    if (pod.is_null()) return fail(Code::kNotFound, "no pod " + pod_path);
    pod.edit("spec").set("nodeName", object["target"]["name"]);
    return write(pod_path, std::move(pod));
  }
  auto& metadata = object.edit("metadata");
  if (metadata["name"].empty()) {
    metadata.set("name", metadata["generateName"].str() + make_name_suffix(loop_.random()));
  }
  const auto full = path + "/" + name_of(object);
  if (objects_.contains(full)) return fail(Code::kAlreadyExists, full + " already exists");
  metadata.set("uid", make_uuid(loop_.random()));
  metadata.set("creationTimestamp", format_rfc3339(loop_.wall_now()));
  metadata.set("generation", 1);
  object = stamp(std::move(object));
  objects_[full] = object;
  notify(full, kube::ObjectChange::Kind::kUpsert, object);
  return object;
}

Result<Value> FakeCluster::write(const std::string& target, Value object) {
  auto path = target;
  const bool status_only = cut_status(path);
  const auto found = objects_.find(path);
  if (found == objects_.end()) return fail(Code::kNotFound, path + " not found");
  const Value before = found->second;
  const auto& version = object["metadata"]["resourceVersion"];
  if (!version.empty() && !(version == before["metadata"]["resourceVersion"])) {
    return fail(Code::kConflict, path + " has been modified");
  }
  if (status_only) {
    object.set("spec", before["spec"]);
  } else if (object.contains("status") && path.find("/apps/") != std::string::npos) {
    object.set("status", before["status"]);
  }
  if (!(object["spec"] == before["spec"])) {
    object.edit("metadata").set("generation", before["metadata"]["generation"].as_int() + 1);
  }
  if (object == before) return object;
  if (is_deleting(object) && object["metadata"]["finalizers"].empty() &&
      path.find("/pods/") == std::string::npos) {
    erase(path);
    return object;
  }
  object = stamp(std::move(object));
  objects_[path] = object;
  notify(path, kube::ObjectChange::Kind::kUpsert, object);
  return object;
}

void FakeCluster::erase(const std::string& path) {
  const auto found = objects_.find(path);
  if (found == objects_.end()) return;
  const Value last = found->second;
  objects_.erase(found);
  notify(path, kube::ObjectChange::Kind::kRemoved, last);
}

io::Task<Result<Value>> FakeCluster::get(std::string path) {
  const auto object = read(path);
  if (object.is_null()) co_return fail(Code::kNotFound, path + " not found");
  co_return object;
}

io::Task<Result<Value>> FakeCluster::list(std::string path, std::string) {
  co_return Value::object({{"items", Value(all(path))}});
}

io::Task<Result<Value>> FakeCluster::create(std::string path, Value object) {
  co_await io::sleep(loop_, std::chrono::milliseconds(1));
  co_return make(path, std::move(object));
}

io::Task<Result<Value>> FakeCluster::update(std::string path, Value object) {
  co_await io::sleep(loop_, std::chrono::milliseconds(1));
  co_return write(path, std::move(object));
}

io::Task<Result<Value>> FakeCluster::patch(std::string path, kube::PatchType, Value patch) {
  co_await io::sleep(loop_, std::chrono::milliseconds(1));
  auto bare = path;
  cut_status(bare);
  const auto object = read(bare);
  if (object.is_null()) co_return fail(Code::kNotFound, path + " not found");
  co_return write(path, kube::apply_merge_patch(object, patch));
}

io::Task<Result<void>> FakeCluster::remove(std::string path, Value options) {
  co_await io::sleep(loop_, std::chrono::milliseconds(1));
  auto object = read(path);
  if (object.is_null()) co_return fail(Code::kNotFound, path + " not found");
  const auto& uid = options["preconditions"]["uid"];
  if (!uid.empty() && !(uid == object["metadata"]["uid"])) co_return fail(Code::kConflict, "uid differs");
  const bool graceful = path.find("/pods/") != std::string::npos && !object["spec"]["nodeName"].empty();
  if (!graceful && object["metadata"]["finalizers"].empty()) {
    erase(path);
    co_return Result<void>();
  }
  object.edit("metadata").set("deletionTimestamp", format_rfc3339(loop_.wall_now()));
  auto written = write(path, std::move(object));
  if (!written) co_return std::unexpected(written.error());
  co_return Result<void>();
}

io::Task<void> FakeCluster::follow(std::string path, std::string, kube::ChangeCallback callback) {
  using Kind = kube::ObjectChange::Kind;
  auto watcher = std::make_shared<Watcher>(path, callback);
  callback({Kind::kReset, {}});
  for (const auto& object : all(path)) callback({Kind::kUpsert, object});
  callback({Kind::kSynced, {}});
  watchers_.push_back(watcher);
  struct Unregister {
    std::list<std::shared_ptr<Watcher>>& list;
    std::shared_ptr<Watcher> watcher;
    ~Unregister() { list.remove(watcher); }
  } unregister{watchers_, watcher};
  io::Event never(loop_);
  co_await never.wait();
}

}  // namespace skiff::control
