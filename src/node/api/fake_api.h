// The cluster in memory, for tests: objects by path, followers told at once. No validation, no defaulting.
#pragma once

#include <list>
#include <map>
#include <vector>

#include "io/sync.h"
#include "node/api/cluster_api.h"

namespace skiff::node {

class FakeApi : public ClusterApi {
 public:
  explicit FakeApi(io::Loop& loop) : loop_(loop) {}

  io::Task<Result<json::Value>> get(std::string path) override;
  io::Task<Result<json::Value>> list(std::string path, std::string query) override;
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> patch(std::string path, kube::PatchType type, json::Value patch) override;
  io::Task<Result<void>> remove(std::string path, json::Value options) override;
  io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) override;

  // The test's own hand: "…/pods" + "/name".
  void put(const std::string& path, json::Value object);
  // As a user deletes: sets the deletion timestamp and grace of a pod.
  void begin_delete(const std::string& path, int64_t grace_seconds);
  void erase(const std::string& path);
  json::Value find(const std::string& path) const;
  // Every object a collection path "/api/v1/namespaces/x/pods" holds.
  std::vector<json::Value> list(const std::string& collection) const;
  // Each status written to a path, in order.
  const std::vector<json::Value>& statuses(const std::string& path) { return statuses_[path]; }

 private:
  struct Follower {
    std::string collection;
    ChangeCallback callback;
  };
  void tell(const std::string& path, ObjectChange change);
  io::Loop& loop_;
  std::map<std::string, json::Value> objects_;
  std::map<std::string, std::vector<json::Value>> statuses_;
  std::list<std::shared_ptr<Follower>> followers_;
  uint64_t revision_ = 0;
  uint64_t names_ = 0;
};

}  // namespace skiff::node
