// What the node asks of the Kubernetes API: objects by path, and collections that are followed. One
// implementation speaks HTTP, one is a fake in memory.
//
// Paths are those of the API without the server: "/api/v1/namespaces/shop/pods/web-1".
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "io/task.h"

namespace skiff::node {

struct ObjectChange {
  enum class Kind {
    kReset,   // all that follows until the next kSynced is the whole collection
    kUpsert,  // new or changed
    kRemoved,
    kSynced,  // the list is complete: what was not named since kReset is gone
  } kind;
  json::Value object;
};
using ChangeCallback = std::function<void(const ObjectChange&)>;

class ClusterApi {
 public:
  virtual ~ClusterApi() = default;
  virtual io::Task<Result<json::Value>> get(std::string path) = 0;
  virtual io::Task<Result<json::Value>> create(std::string path, json::Value object) = 0;
  virtual io::Task<Result<json::Value>> update(std::string path, json::Value object) = 0;
  // A strategic merge patch.
  virtual io::Task<Result<json::Value>> patch(std::string path, json::Value patch) = 0;
  virtual io::Task<Result<void>> remove(std::string path, json::Value options) = 0;
  // Lists, then watches; again and again, with a pause after an error, until the task is dropped.
  // `query` is "" or for example "fieldSelector=spec.nodeName%3Dnode1".
  virtual io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) = 0;
};

inline std::string pod_path(const json::Value& pod) {
  return "/api/v1/namespaces/" + pod["metadata"]["namespace"].str() + "/pods/" +
         pod["metadata"]["name"].str();
}

}  // namespace skiff::node
