// What the server adds to or refuses of a write, knowing other objects: namespaces, service accounts,
// addresses (contracts 2.2). Reads the store, writes nothing.
#pragma once

#include "kube/server/objects.h"

namespace skiff::kube {

class Admission {
 public:
  explicit Admission(Objects& objects) : objects_(objects) {}
  // Completes a new object; an error refuses it.
  Result<void> admit_create(const Target& target, json::Value& object);
  Result<void> admit_update(const Target& target, const json::Value& before, json::Value& object);

 private:
  Result<void> check_namespace(const Target& target, const json::Value& object);
  void set_definition_status(json::Value& made, const json::Value& before);
  Result<void> admit_pod(const Target& target, json::Value& pod);
  Result<void> admit_service(const json::Value* before, json::Value& service);
  Result<std::string> free_address(const std::string& wanted, const json::Value& service);
  Result<void> admit_node_ports(const json::Value* before, json::Value& service);
  Result<std::vector<json::Value>> all_services() const;
  Objects& objects_;
};

}  // namespace skiff::kube
