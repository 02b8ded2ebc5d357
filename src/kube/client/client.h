// The Kubernetes API as its users in this program see it: objects by path, and collections that are followed.
// Implementations: HTTP (kube/client/http_client.h), the server in the same process (kube/server), a fake.
//
// Paths are those of the API without the server: "/apis/apps/v1/namespaces/shop/deployments/web".
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "io/task.h"

namespace skiff::kube {

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

enum class PatchType { kStrategicMerge, kMerge, kJson };

// The Status body that an error of the API carries, in Error::details.
struct StatusDetails final : ErrorDetails {
  json::Value status;
  int http_code = 0;
};

class Client {
 public:
  virtual ~Client() = default;
  virtual io::Task<Result<json::Value>> get(std::string path) = 0;
  // A list object: {metadata, items}. `query` may hold selectors.
  virtual io::Task<Result<json::Value>> list(std::string path, std::string query) = 0;
  virtual io::Task<Result<json::Value>> create(std::string path, json::Value object) = 0;
  // PUT; ".../status" for the status subresource.
  virtual io::Task<Result<json::Value>> update(std::string path, json::Value object) = 0;
  virtual io::Task<Result<json::Value>> patch(std::string path, PatchType type, json::Value patch) = 0;
  // `options` is a DeleteOptions object or null.
  virtual io::Task<Result<void>> remove(std::string path, json::Value options) = 0;
  // Lists, then watches; again and again, with a pause after an error, until the task is dropped.
  // `query` is "" or for example "fieldSelector=spec.nodeName%3Dnode1".
  virtual io::Task<void> follow(std::string path, std::string query, ChangeCallback callback) = 0;
};

}  // namespace skiff::kube
