// A collection kept in memory: what a controller reads instead of asking the server.
//
// start() lists and watches through Client::follow(); the cache then lags the server by one event at most.
// Objects are shared, immutable copies. All on the loop's thread; callbacks run while the cache already shows
// the change.
//
//   Informer pods(loop, client, "/api/v1/pods");
//   pods.on_change([&](const json::Value& before, const json::Value& after) { queue.add(object_key(after));
//   }); pods.start();
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/scope.h"
#include "kube/client/client.h"

namespace skiff::kube {

// "namespace/name", or "name" of a cluster-scoped object.
std::string object_key(const json::Value& object);
std::string object_key(const std::string& name_space, const std::string& name);

class Informer {
 public:
  // `before` null: new; `after` null: gone.
  using Listener = std::function<void(const json::Value& before, const json::Value& after)>;
  // The values an object is found by in an index, for example the UIDs of its owners.
  using Indexer = std::function<std::vector<std::string>(const json::Value& object)>;

  // The client outlives the informer. `query` may hold selectors.
  Informer(io::Loop& loop, Client& client, std::string path, std::string query = "");

  // Listeners and indexes come before start().
  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }
  // Called once, when the first list is complete.
  void on_synced(std::function<void()> callback) { synced_callbacks_.push_back(std::move(callback)); }
  void add_index(std::string name, Indexer indexer);
  void start();

  bool has_synced() const { return synced_; }
  size_t size() const { return objects_.size(); }
  // Null when there is none. The reference lives until the loop's next step: copy it to keep it (copies are
  // cheap).
  const json::Value& find(const std::string& name_space, const std::string& name) const;
  const json::Value& find_key(const std::string& key) const;
  // All by key; of one namespace; of one value of an index.
  const std::map<std::string, json::Value>& objects() const { return objects_; }
  std::vector<json::Value> list() const;
  std::vector<json::Value> list(const std::string& name_space) const;
  std::vector<json::Value> list_index(const std::string& index, const std::string& value) const;
  const std::string& path() const { return path_; }

 private:
  struct Index {
    Indexer indexer;
    std::set<std::pair<std::string, std::string>> keys;  // value and object key
  };
  void on_event(const ObjectChange& change);
  void put(const json::Value& object);
  void drop(const std::string& key, const json::Value* last);
  void index(const std::string& key, const json::Value& before, const json::Value& after);
  void finish_list();

  Client& client_;
  std::string path_, query_;
  std::vector<Listener> listeners_;
  std::vector<std::function<void()>> synced_callbacks_;
  std::map<std::string, json::Value> objects_;
  std::map<std::string, Index> indexes_;
  std::map<std::string, bool> unseen_;  // keys not yet named since the last reset
  bool synced_ = false;
  io::TaskScope scope_;
};

}  // namespace skiff::kube
