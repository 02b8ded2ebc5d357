// What the server adds to or refuses of a write, knowing other objects: namespaces, service accounts,
// addresses (contracts 2.2). Reads the store, writes nothing.
#pragma once

#include <set>

#include "kube/server/objects.h"

namespace skiff::kube {

class Admission {
 public:
  explicit Admission(Objects& objects) : objects_(objects) {}
  // Completes a new object; an error refuses it.
  Result<void> admit_create(const Target& target, json::Value& object);
  Result<void> admit_update(const Target& target, const json::Value& before, json::Value& object);

  // Keeps what a Service was given from others until it is written: taken in the same turn of the loop as
  // the admission, dropped after the write.
  class Claim {
   public:
    Claim(Admission& admission, const Kind& kind, const json::Value& object);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    Admission& admission_;
    std::vector<std::string> addresses_;
    std::vector<int64_t> ports_;
  };

 private:
  Result<void> check_namespace(const Target& target, const json::Value& object);
  void set_definition_status(json::Value& made, const json::Value& before);
  Result<void> admit_pod(const Target& target, json::Value& pod);
  Result<void> admit_service(const json::Value* before, json::Value& service);
  Result<void> admit_address(const json::Value* before, json::Value& service);
  Result<std::string> find_address();
  Result<void> check_address(const std::string& wanted, const json::Value& service);
  Result<void> admit_node_ports(const json::Value* before, json::Value& service);
  Result<std::set<std::string>> taken_addresses() const;
  Result<std::set<int64_t>> taken_node_ports() const;
  Result<std::vector<json::Value>> all_services() const;
  Objects& objects_;
  // Of Services that are being written.
  std::multiset<std::string> claimed_addresses_;
  std::multiset<int64_t> claimed_ports_;
};

}  // namespace skiff::kube
