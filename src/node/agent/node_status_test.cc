#include "node/agent/node_status.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::node;

TEST_CASE("a machine takes as many pods as its memory holds, at least 110") {
  CHECK(count_pods(int64_t{1} << 30) == 110);
  CHECK(count_pods(int64_t{16} << 30) == 256);
  CHECK(count_pods(int64_t{1} << 40) == 1000);
  NodeStatusInput input;
  input.machine.memory_bytes = int64_t{32} << 30;
  const auto status = make_node_status(input, {}, WallTime{});
  CHECK(status["capacity"]["pods"].str() == "512");
  CHECK(status["allocatable"]["pods"].str() == "512");
}
