// Spreads new clients evenly over the workers.
//
// The kernel gives a connection to one of the listeners by a hash of its addresses. A few long-lived
// connections, as from another proxy, may all fall to one thread that way while the others have nothing to
// do. So the worker that accepts a connection asks here who has the fewest clients and hands it over. All
// members: any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace skiff::edge {

// A connection on its way to the worker that will serve it, which owns `fd` from then on.
struct Arrival {
  int fd = -1;
  std::string ip;
  bool tls = false;
};

class Spread {
 public:
  explicit Spread(size_t workers);
  // Closes what nobody took.
  ~Spread();
  Spread(const Spread&) = delete;

  // `wake_fd` is the worker's eventfd. Before any connection is handed to it.
  void join(size_t worker, int wake_fd);
  // The worker that shall serve a connection accepted by `self`, already counted as its client.
  size_t choose(size_t self);
  // Takes back what choose() counted, when the client is gone.
  void leave(size_t worker);
  // Gives the connection to `worker` and wakes it.
  void hand_over(size_t worker, Arrival arrival);
  // What was handed to `worker`.
  std::vector<Arrival> take(size_t worker);

 private:
  struct Place {
    std::atomic<size_t> clients{0};
    int wake_fd = -1;
    std::mutex mutex;  // guards arrivals
    std::vector<Arrival> arrivals;
  };
  std::vector<Place> places_;
};

}  // namespace skiff::edge
