// The names outside the cluster that a route table leads to, while it is made: of each namespace the first
// kMaxExternalNamesOfNamespace.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "edge/routes.h"

namespace skiff::edge {

class OutsideNames {
 public:
  explicit OutsideNames(RouteTable& table) : table_(table) {}
  // Puts the name into the table. False when the namespace has its share already; the first such name of it
  // is among the table's refusals then.
  bool take(const std::string& ns, const std::string& name);

 private:
  RouteTable& table_;
  std::unordered_map<std::string, std::set<std::string>> by_namespace_;
  std::set<std::string> full_;  // namespaces that wanted more
};

}  // namespace skiff::edge
