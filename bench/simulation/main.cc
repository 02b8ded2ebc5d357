// Runs the whole engine at size on a virtual clock and prints the wall-clock times and the memory.
// Usage: simulation [NODES [PODS [ROLLOUT]]]   (1000, 20000, 1000 when not given)
#include <fmt/core.h>
#include <malloc.h>

#include <chrono>
#include <cstdlib>

#include "base/log.h"
#include "control/sim_cluster.h"

using namespace skiff;
using namespace skiff::control;

namespace {

constexpr Duration kLimit = std::chrono::minutes(30);  // of virtual time, for each phase
constexpr int64_t kReplicas = 1000;                    // of one Deployment

size_t heap_bytes() {
  return mallinfo2().uordblks;
}

class Phases {
 public:
  explicit Phases(SimCluster& cluster) : cluster_(cluster) {}
  template <typename Body>
  bool run(const std::string& what, Body body) {
    const auto start = std::chrono::steady_clock::now();
    const auto virtual_start = cluster_.loop().now();
    const auto revision = store::number(cluster_.store().current());
    const bool worked = body();
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double passed = std::chrono::duration<double>(cluster_.loop().now() - virtual_start).count();
    total_ += wall;
    fmt::print("{:<34} {:>7.2f} s wall, {:>7.1f} s virtual, {:>8} writes{}\n", what, wall, passed,
               store::number(cluster_.store().current()) - revision, worked ? "" : "  FAILED");
    std::fflush(stdout);
    return worked;
  }
  double total() const { return total_; }

 private:
  SimCluster& cluster_;
  double total_ = 0;
};

int64_t argument(int argc, char** argv, int index, int64_t otherwise) {
  return argc > index ? std::strtoll(argv[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const auto nodes = argument(argc, argv, 1, 1000);
  const auto pods = argument(argc, argv, 2, 20000);
  const auto rollout = argument(argc, argv, 3, kReplicas);
  SimCluster cluster({.fleet = {.nodes = static_cast<int>(nodes)}});
  Phases phases(cluster);
  bool good = phases.run(fmt::format("{} nodes registered", nodes), [&] { return cluster.start(); });
  const auto before = heap_bytes();
  good = good && phases.run(fmt::format("{} pods running", pods), [&] {
    for (int64_t left = pods, i = 0; left > 0; left -= kReplicas, ++i) {
      auto made = cluster.deploy(fmt::format("team-{}", i), "web", std::min(left, kReplicas));
      if (!made) return false;
    }
    return cluster.run_until([&] { return cluster.rolled_out(); }, kLimit);
  });
  const auto per_pod = static_cast<double>(heap_bytes() - before) / static_cast<double>(pods);
  good = good && phases.run(fmt::format("rollout of {} replicas", rollout), [&] {
    if (rollout != kReplicas && !cluster.deploy("rollout", "web", rollout)) return false;
    if (!cluster.run_until([&] { return cluster.rolled_out(); }, kLimit)) return false;
    const auto changed = cluster.set_image(rollout == kReplicas ? "team-0" : "rollout", "web", "web:2");
    return changed && cluster.run_until([&] { return cluster.rolled_out(); }, kLimit);
  });
  fmt::print("total {:.1f} s; heap {:.0f} MB, {:.1f} KB for each pod with its share of history and caches\n",
             phases.total(), static_cast<double>(heap_bytes()) / 1e6, per_pod / 1e3);
  fmt::print("ready pods {}, failed writes of nodes {}\n", cluster.fleet().running(),
             cluster.fleet().failures());
  return good && cluster.fleet().failures() == 0 ? 0 : 1;
}
