#include "kube/server/definition_guard.h"

#include "kube/server/custom_kinds.h"

namespace skiff::kube {

DefinitionGuard::DefinitionGuard(store::Store& store, const Kind& kind) : store_(store) {
  if (!kind.custom) return;
  key_ = std::string(kDefinitionPrefix) + kind.plural + "." + kind.group;
  if (auto watch = store.watch(key_, store.current())) changes_ = std::move(*watch);
  const auto entry = store.get(key_);
  if (!entry) return;
  seen_ = entry->modified;
  if (const auto definition = json::parse(*entry->value)) {
    uid_ = (*definition)["metadata"]["uid"];
    spec_ = (*definition)["spec"];
    names_ = (*definition)["status"]["acceptedNames"];
  }
}

DefinitionGuard::State DefinitionGuard::look() {
  if (key_.empty()) return State::kSame;
  const auto entry = store_.get(key_);
  if (!entry) return State::kGone;
  if (entry->modified == seen_) return State::kSame;
  const auto definition = json::parse(*entry->value);
  const bool same = definition && (*definition)["metadata"]["uid"] == uid_ &&
                    (*definition)["spec"] == spec_ && (*definition)["status"]["acceptedNames"] == names_;
  if (!same) return State::kChanged;
  seen_ = entry->modified;
  return State::kSame;
}

}  // namespace skiff::kube
