#include "edge/spread.h"

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace skiff::edge {

Spread::Spread(size_t workers) : places_(workers) {}

Spread::~Spread() {
  for (auto& place : places_) {
    for (const auto& arrival : place.arrivals) ::close(arrival.fd);
  }
}

void Spread::join(size_t worker, int wake_fd) {
  places_[worker].wake_fd = wake_fd;
}

size_t Spread::choose(size_t self) {
  size_t best = self;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].clients < places_[best].clients) best = i;
  }
  ++places_[best].clients;
  return best;
}

void Spread::leave(size_t worker) {
  --places_[worker].clients;
}

void Spread::hand_over(size_t worker, Arrival arrival) {
  Place& place = places_[worker];
  {
    const std::lock_guard lock(place.mutex);
    place.arrivals.push_back(std::move(arrival));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(place.wake_fd, &one, sizeof one);
}

std::vector<Arrival> Spread::take(size_t worker) {
  const std::lock_guard lock(places_[worker].mutex);
  return std::exchange(places_[worker].arrivals, {});
}

}  // namespace skiff::edge
