#include "node/agent/measure_turns.h"

#include <algorithm>

namespace skiff::node {

namespace {
constexpr int kRestFactor = 4;  // a pod takes at most a fifth of the time of walks
}  // namespace

std::optional<std::string> MeasureTurns::next(const std::vector<std::string>& uids, MonotonicTime now) {
  std::map<std::string, Past> kept;
  const std::pair<const std::string, Past>* first = nullptr;
  for (const auto& uid : uids) {
    const auto known = past_.find(uid);
    const auto& entry = *kept.emplace(uid, known == past_.end() ? Past{} : known->second).first;
    const bool due = entry.second.due <= now;
    if (due && (first == nullptr || entry.second.took < first->second.took)) first = &entry;
  }
  std::optional<std::string> out;
  if (first != nullptr) out = first->first;
  past_ = std::move(kept);
  return out;
}

void MeasureTurns::measured(const std::string& uid, MonotonicTime begin, MonotonicTime end) {
  const Duration took = end - begin;
  past_[uid] = {took, end + std::max(pause_, took * kRestFactor)};
}

}  // namespace skiff::node
