// What a controller did and has not seen happen yet, by key. Without it a lagging cache makes pods twice.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace skiff::control {

class Expectations {
 public:
  void expect_creates(const std::string& key, int64_t count, MonotonicTime now) {
    entries_[key] = {count, {}, now};
  }
  void expect_deletes(const std::string& key, std::set<std::string> children, MonotonicTime now) {
    entries_[key] = {0, std::move(children), now};
  }
  void observe_create(const std::string& key, int64_t count = 1) {
    if (const auto found = entries_.find(key); found != entries_.end()) found->second.creates -= count;
  }
  void observe_delete(const std::string& key, const std::string& child) {
    if (const auto found = entries_.find(key); found != entries_.end()) found->second.deletes.erase(child);
  }
  // Nothing is awaited, or for so long that it will not come.
  bool settled(const std::string& key, MonotonicTime now) const {
    constexpr auto kExpiry = std::chrono::minutes(5);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return true;
    const auto& entry = found->second;
    return (entry.creates <= 0 && entry.deletes.empty()) || now - entry.since > kExpiry;
  }
  void forget(const std::string& key) { entries_.erase(key); }

 private:
  struct Entry {
    int64_t creates = 0;
    std::set<std::string> deletes;
    MonotonicTime since{};
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace skiff::control
