// A watch of custom objects shows them as their definition says at its start. When the definition changes the
// watch ends, as upstream's does, and its client comes back for what follows in the new form.
//
//   DefinitionGuard guard(store, *kind);   // in the turn that found the kind
//   if (guard.look() != DefinitionGuard::State::kSame) ...
#pragma once

#include <memory>
#include <string>

#include "kube/schema/schema.h"
#include "store/store.h"

namespace skiff::kube {

class DefinitionGuard {
 public:
  // The store outlives the guard. Built-in kinds never change.
  DefinitionGuard(store::Store& store, const Kind& kind);
  enum class State {
    kSame,
    kChanged,  // what comes from now on is to be shown otherwise
    kGone,     // nothing comes any more
  };
  State look();
  // Tells when a look may be worth while; null for built-in kinds.
  store::Watch* changes() { return changes_.get(); }

 private:
  store::Store& store_;
  std::string key_;  // "" of built-in kinds
  store::Revision seen_{};
  json::Value uid_, spec_, names_;
  std::unique_ptr<store::Watch> changes_;
};

}  // namespace skiff::kube
