// The API in memory, for tests: objects by path, resource versions and conflicts, the status subresource,
// binding, graceful deletion of pods, finalizers and watches. One writer, one loop.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "io/loop.h"
#include "kube/client/client.h"

namespace skiff::control {

class FakeCluster final : public kube::Client {
 public:
  explicit FakeCluster(io::Loop& loop) : loop_(loop) {}

  io::Task<Result<json::Value>> get(std::string path) override;
  io::Task<Result<json::Value>> list(std::string path, std::string query) override;
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> patch(std::string path, kube::PatchType type, json::Value patch) override;
  io::Task<Result<void>> remove(std::string path, json::Value options) override;
  io::Task<void> follow(std::string path, std::string query, kube::ChangeCallback callback) override;

  // The same without waiting, for the test's own hands.
  json::Value read(const std::string& path) const;
  std::vector<json::Value> all(const std::string& collection) const;
  Result<json::Value> make(const std::string& path, json::Value object);
  Result<json::Value> write(const std::string& path, json::Value object);
  void erase(const std::string& path);
  // Called after every change, at the same instant.
  std::function<void()> on_step;

 private:
  struct Watcher {
    std::string collection;
    kube::ChangeCallback callback;
  };
  void notify(const std::string& path, kube::ObjectChange::Kind kind, const json::Value& object);
  json::Value stamp(json::Value object) {
    object.edit("metadata").set("resourceVersion", std::to_string(++revision_));
    return object;
  }

  io::Loop& loop_;
  int64_t revision_ = 0;
  std::map<std::string, json::Value> objects_;  // by full path
  std::list<std::shared_ptr<Watcher>> watchers_;
};

}  // namespace skiff::control
