#include "control/deployment/rounding.h"

#include <doctest/doctest.h>

namespace skiff::control {

TEST_CASE("surge rounds up, unavailable down, and never both to nothing") {
  struct Case {
    Value surge, unavailable;
    int64_t replicas, want_surge, want_unavailable;
  };
  for (const auto& c : std::vector<Case>{{"39%", "39%", 10, 4, 3},
                                         {"0%", "0%", 0, 0, 1},
                                         {{}, "39%", 10, 0, 3},
                                         {"39%", {}, 10, 4, 0},
                                         {"25%", "25%", 4, 1, 1},
                                         {"25%", "25%", 3, 1, 0},
                                         {"25%", "25%", 1, 1, 0},
                                         {"25%", "25%", 10, 3, 2},
                                         {3, 0, 10, 3, 0}}) {
    const auto got = resolve_bounds(c.surge, c.unavailable, c.replicas);
    CHECK(got.surge == c.want_surge);
    CHECK(got.unavailable == c.want_unavailable);
  }
}

TEST_CASE("a new ReplicaSet grows into the room that the surge leaves") {
  CHECK(next_new_replicas({10, 0, 10, 0}) == 0);
  CHECK(next_new_replicas({10, 2, 10, 0}) == 2);
  CHECK(next_new_replicas({10, 2, 5, 0}) == 7);
  CHECK(next_new_replicas({10, 2, 12, 2}) == 2);
  CHECK(next_new_replicas({10, 0, 13, 11}) == 10);
}

TEST_CASE("old ReplicaSets shrink by their unhealthy pods first, then by what the bound allows") {
  struct Case {
    int64_t unavailable, old, fresh, ready_old, ready_new, want;
  };
  for (const auto& c : std::vector<Case>{{1, 10, 0, 10, 0, 9},
                                         {2, 10, 0, 10, 0, 8},
                                         {2, 10, 0, 8, 0, 8},
                                         {2, 10, 0, 9, 0, 8},
                                         {2, 8, 2, 8, 0, 8}}) {
    CHECK(next_old_replicas({10, c.unavailable, {c.fresh, c.ready_new}, {{c.old, c.ready_old}}}) ==
          std::vector<int64_t>{c.want});
  }
}

TEST_CASE("an old ReplicaSet whose last scale-down is not in its status yet is left alone") {
  CHECK(next_old_replicas({10, 2, {5, 1}, {{8, 10}}}) == std::vector<int64_t>{8});
}

namespace {
struct ScaleCase {
  int64_t from, to, fresh;  // fresh -1: none
  std::vector<int64_t> old, want;
  int64_t surge_before = 0, surge = 0;
};
// Newest first, the order of the contract's vectors.
std::vector<int64_t> scaled(const ScaleCase& c) {
  ProportionalScale in{c.to, c.surge, c.from, {}};
  auto sizes = c.old;
  if (c.fresh >= 0) sizes.insert(sizes.begin(), c.fresh);
  int age = 0;
  for (const auto size : sizes) {
    in.sets.push_back({size, c.from + c.surge_before, WallTime(std::chrono::hours(1000 - age++))});
  }
  return scale_proportionally(in);
}
}  // namespace

TEST_CASE("pods of the new ReplicaSet beyond its size do not count as available") {
  // Its status still says 3 after it was scaled to 2: with min 3, the old one may only go from 2 to 1.
  CHECK(next_old_replicas({4, 1, {2, 3}, {{2, 2}}}) == std::vector<int64_t>{1});
}

TEST_CASE("a scaling event is shared in proportion and the rest goes to the largest") {
  for (const auto& c : std::vector<ScaleCase>{{5, 10, 2, {3}, {4, 6}},
                                              {5, 3, 2, {3}, {1, 2}},
                                              {9, 4, 8, {1}, {4, 0}},
                                              {7, 10, 2, {3, 2}, {3, 4, 3}},
                                              {13, 8, 2, {8, 3}, {1, 5, 2}},
                                              {3, 4, 1, {1, 1}, {2, 1, 1}},
                                              {3, 2, 1, {1, 1}, {1, 1, 0}},
                                              {4, 5, -1, {2, 2}, {3, 2}},
                                              {6, 0, 3, {2, 1}, {0, 0, 0}},
                                              {10, 20, 6, {6}, {11, 11}, 2, 2},
                                              {10, 50, 5, {8}, {22, 34}, 3, 6},
                                              {10, 14, -1, {7, 3}, {10, 4}}}) {
    CAPTURE(c.from);
    CAPTURE(c.to);
    CHECK(scaled(c) == c.want);
  }
}

}  // namespace skiff::control
