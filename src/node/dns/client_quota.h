// How many things of a kind go on at once, in all and for each client: so that one client that takes all it
// can get leaves something for the others. Of one thread.
//
//   if (auto place = quota.try_take(client)) scope.spawn(serve(client, std::move(*place)));
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace skiff::node {

class ClientQuota {
 public:
  ClientQuota(size_t all, size_t of_client) : all_(all), of_client_(of_client) {}

  // A place taken, until it is dropped. The quota outlives it.
  class Place {
   public:
    Place(ClientQuota& quota, uint32_t client) : quota_(&quota), client_(client) {}
    Place(Place&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), client_(other.client_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (quota_ != nullptr) quota_->give_back(client_);
    }

   private:
    ClientQuota* quota_;
    uint32_t client_;
  };

  // Nothing when all are taken, or all that the client may have.
  std::optional<Place> try_take(uint32_t client) {
    if (taken_ >= all_) return std::nullopt;
    size_t& own = clients_[client];
    if (own >= of_client_) return std::nullopt;
    ++own;
    ++taken_;
    return Place(*this, client);
  }

 private:
  void give_back(uint32_t client) {
    --taken_;
    const auto own = clients_.find(client);
    if (--own->second == 0) clients_.erase(own);
  }

  const size_t all_, of_client_;
  size_t taken_ = 0;
  std::map<uint32_t, size_t> clients_;  // those that have a place
};

}  // namespace skiff::node
