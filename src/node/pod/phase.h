// A pod's phase and conditions from its container statuses: pure, upstream's rules (contract 4.1 and 4.2).
#pragma once

#include <string>

#include "base/json.h"
#include "base/time.h"

namespace skiff::node {

enum class PodEnd {
  kOpen,     // the pod may still run
  kClosing,  // it is being torn down: what has stopped stays stopped
};

// "Pending", "Running", "Succeeded" or "Failed". `init` and `containers` are the status arrays.
std::string compute_phase(const json::Value& spec, const json::Value& init, const json::Value& containers,
                          PodEnd end);

struct ConditionInput {
  const json::Value& spec;
  const json::Value& old_status;  // readiness gates and earlier transition times come from here
  const json::Value& init;
  const json::Value& containers;
  std::string phase;
  bool sandbox_ready = false;
};
// The array in upstream's order; other controllers' conditions are not in it. A transition time is kept while
// the status stays the same.
json::Value compute_conditions(const ConditionInput& input, WallTime now);

// True for an init container with restartPolicy Always.
bool is_sidecar(const json::Value& init_container);
// The entry of that name in a list, null when there is none.
const json::Value& find_named(const json::Value& list, std::string_view name, std::string_view key = "name");

// find_named() for many names that come in the order of the list, as statuses do in that of their containers:
// each is then found at once.
class InOrder {
 public:
  explicit InOrder(const json::Value& list) : list_(list) {}
  const json::Value& find(std::string_view name);

 private:
  const json::Value& list_;
  size_t next_ = 0;
};

}  // namespace skiff::node
