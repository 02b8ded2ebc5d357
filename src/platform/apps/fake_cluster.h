// An API server for tests of what the platform writes: no checks, no controllers.
#pragma once

#include <fmt/core.h>

#include <climits>
#include <map>
#include <string>

#include "base/strings.h"
#include "io/sync.h"
#include "kube/client/client.h"
#include "kube/patch/patch.h"

namespace skiff::platform {

constexpr Duration kAnswerTime = std::chrono::milliseconds(3);  // of the API: others get in between
constexpr Duration kFakeEternity = std::chrono::hours(100000);

// Objects by path, each answer after a while; writes to paths that hold `broken` fail.
struct FakeCluster final : kube::Client {
  using Value = json::Value;
  using Answer = Result<Value>;

  explicit FakeCluster(io::Loop& l) : loop(l) {}
  io::Task<Answer> get(std::string path) override {
    co_await io::sleep(loop, kAnswerTime);
    if (!objects.contains(path)) co_return fail(Code::kNotFound, path);
    co_return objects[path];
  }
  io::Task<Answer> list(std::string path, std::string) override {
    co_await io::sleep(loop, kAnswerTime);
    co_return Value::object({{"items", collect(path)}});
  }
  io::Task<Answer> create(std::string path, Value object) override {
    co_await io::sleep(loop, kAnswerTime);
    path += "/" + object["metadata"]["name"].str();
    if (is_broken(path)) co_return fail(Code::kUnavailable, path);
    if (objects.contains(path)) co_return fail(Code::kAlreadyExists, path);
    Value data = object["data"].is_object() ? object["data"] : Value::object();
    for (const auto& [name, value] : object["stringData"].members())
      data.set(name, base64_encode(value.str()));
    object.set("data", data);
    object.edit("metadata").set("uid", fmt::format("uid-{}", ++made));
    object.edit("metadata").set("creationTimestamp", format_rfc3339(loop.wall_now()));
    const bool dies = count_write();
    if (!dies || dies_after) write(path, object);
    if (dies) co_await io::sleep(loop, kFakeEternity);
    co_return objects[path];
  }
  io::Task<Answer> update(std::string path, Value object) override {
    co_await io::sleep(loop, kAnswerTime);
    if (object["metadata"]["generation"] != objects[path]["metadata"]["generation"])
      co_return fail(Code::kConflict, path);
    co_return write(path, object);
  }
  io::Task<Answer> patch(std::string path, kube::PatchType, Value patch) override {
    co_await io::sleep(loop, kAnswerTime);
    if (is_broken(path)) co_return fail(Code::kUnavailable, path);
    if (path.ends_with("/status")) path.resize(path.rfind('/'));
    if (!objects.contains(path)) co_return fail(Code::kNotFound, path);
    const bool dies = count_write();
    if (!dies || dies_after) {
      objects[path] = kube::apply_merge_patch(objects[path], patch);
      if (patch.contains("spec")) write(path, objects[path]);
    }
    if (dies) co_await io::sleep(loop, kFakeEternity);
    co_return objects[path];
  }
  io::Task<Result<void>> remove(std::string path, Value) override {
    co_await io::sleep(loop, kAnswerTime);
    const bool dies = count_write();
    if ((!dies || dies_after) && !delete_namespace(path)) erase(path);
    if (dies) co_await io::sleep(loop, kFakeEternity);
    co_return Result<void>{};
  }
  io::Task<void> follow(std::string path, std::string, kube::ChangeCallback on_change) override {
    callback = std::move(on_change);
    for (const auto& object : collect(path).items()) callback({kube::ObjectChange::Kind::kUpsert, object});
    co_await io::sleep(loop, kFakeEternity);
  }
  // What is in a collection: of one namespace, or of all.
  Value collect(const std::string& path) const {
    Value items = Value::array();
    for (const auto& [place, object] : objects) {
      const std::string collection = place.substr(0, place.rfind('/'));
      const std::string in_all =
          replace_all(collection, "/namespaces/" + object["metadata"]["namespace"].str() + "/", "/");
      if (collection == path || in_all == path) items.push_back(object);
    }
    return items;
  }
  // Marks a namespace as deleted; the test says when it has gone.
  bool delete_namespace(const std::string& path) {
    if (!keeps_namespaces || !path.starts_with("/api/v1/namespaces/")) return false;
    objects[path].edit("metadata").set("deletionTimestamp", "2026-01-01T00:00:00Z");
    return true;
  }
  // With all that is in it, when it is a namespace.
  void erase(const std::string& path) {
    objects.erase(path);
    if (!path.starts_with("/api/v1/namespaces/")) return;
    const std::string inside = path.substr(path.find("/namespaces/")) + "/";
    std::erase_if(objects, [&](const auto& entry) { return entry.first.find(inside) != std::string::npos; });
  }
  bool is_broken(const std::string& path) const {
    return !broken.empty() && path.find(broken) != std::string::npos;
  }
  Value write(const std::string& path, Value object) {
    object.edit("metadata").set("generation", ++generation);
    objects[path] = object;
    if (callback) callback({kube::ObjectChange::Kind::kUpsert, object});
    return object;
  }
  // True when the one who writes is dead from here on.
  bool count_write() { return ++writes > last_write; }

  io::Loop& loop;
  std::map<std::string, Value> objects;
  std::string broken;
  bool keeps_namespaces = false;
  kube::ChangeCallback callback;
  int generation = 0, made = 0;
  // The writer dies at its first write beyond so many: before it, or after it was done.
  int writes = 0, last_write = INT_MAX;
  bool dies_after = false;
};

}  // namespace skiff::platform
