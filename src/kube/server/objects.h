// Objects in the store: what every verb does, apart from HTTP. The HTTP routes and the client in the same
// process share it.
//
// Kept as JSON bytes, resourceVersion included, under /<group or "core">/<plural>/[<namespace>/]<name>: so a
// list or a watch without selectors sends stored bytes as they are (but see stored_objects.cc).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kube/client/client.h"
#include "kube/schema/schema.h"
#include "kube/selector/selector.h"
#include "kube/server/server_options.h"
#include "store/store.h"

namespace skiff::kube {

// A collection or one object of it.
struct Target {
  KindPtr kind;
  std::string name_space;  // "" all namespaces, or a cluster-scoped kind
  std::string name;        // "" the collection
};
bool is_definition(const Kind& kind);  // a CustomResourceDefinition
std::string collection_prefix(const Target& target);
std::string object_path(const Target& target);  // the key of one object

struct WriteOptions {
  bool dry_run = false;
  std::string subresource;  // "" or "status"
  // A last word on what is about to be stored; `before` is null on create.
  std::function<Result<void>(const Target& target, const json::Value& object, const json::Value* before)>
      guard;
};
struct DeleteOptions {
  bool dry_run = false;
  std::optional<int64_t> grace_seconds;
  std::string propagation;            // "", "Background", "Foreground", "Orphan"
  std::string uid, resource_version;  // preconditions
};
struct Updated {
  json::Value object;
  bool created = false;  // there was none, and the kind is created by updates too
};
struct Deleted {
  json::Value object;  // its last or present state
  bool gone = false;
};

class Admission;

class Objects {
 public:
  Objects(io::Loop& loop, store::Store& store, Registry& registry, const ServerOptions& options);
  ~Objects();

  Result<json::Value> get(const Target& target) const;
  // Null when absent.
  json::Value find(const Target& target) const;
  // The object is decoded and conforms to its kind.
  io::Task<Result<json::Value>> create(Target target, json::Value object, WriteOptions options);
  io::Task<Result<Updated>> update(Target target, json::Value object, WriteOptions options);
  // Changes the newest state; asked again when another write came between. `patched` errors pass through.
  using Change = std::function<Result<json::Value>(const json::Value& current)>;
  io::Task<Result<json::Value>> modify(Target target, Change change, WriteOptions options);
  io::Task<Result<Deleted>> remove(Target target, DeleteOptions options);

  io::Loop& loop() { return loop_; }
  WallTime loop_wall_now() const { return loop_.wall_now(); }
  store::Store& store() { return store_; }
  const store::Store& store() const { return store_; }
  Registry& registry() { return registry_; }
  const Registry& registry() const { return registry_; }
  const ServerOptions& options() const { return options_; }
  // "configmaps" -> the built-in kind; for the server's own needs. Null when unknown.
  KindPtr kind(std::string_view group, std::string_view plural) const;

 private:
  io::Task<Result<json::Value>> try_create(Target target, json::Value object, WriteOptions options);
  // Of an update that found no object.
  io::Task<Result<json::Value>> create_unseen(Target target, json::Value object, WriteOptions options);
  io::Task<Result<json::Value>> replace(Target target, json::Value before, json::Value after,
                                        WriteOptions options);
  io::Task<Result<Deleted>> erase(Target target, json::Value last);
  io::Task<Result<json::Value>> put(Target target, json::Value object, store::Expect expect);
  // The store has just this already: not with the defaults or the version of a definition that is newer.
  bool is_stored(const Target& target, const json::Value& object) const;
  // What the store writes of the object, which is given its revision.
  std::function<std::string(store::Revision)> encoder(KindPtr kind,
                                                      std::shared_ptr<json::Value> object) const;
  io::Loop& loop_;
  store::Store& store_;
  Registry& registry_;
  const ServerOptions& options_;
  std::unique_ptr<Admission> admission_;
};

// What is stored as the version of `kind` shows it: objects of a custom kind are kept under what was the
// storage version when they were written, and get the defaults that came into their definition later; events
// of events.k8s.io are kept as those of v1. Selectors look at this.
Result<json::Value> served_object(const Kind& kind, const store::Bytes& stored);
store::Bytes served_bytes(const Kind& kind, const store::Bytes& stored);
// The way back.
json::Value stored_object(const Registry& registry, const Kind& kind, const json::Value& object);
// The revision an object or a list carries; 0 when there is none or it is no number.
store::Revision revision_of(const json::Value& object);

}  // namespace skiff::kube
