#include "platform/dynos/dyno_trouble.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

Value pod(const std::string& status) {
  auto parsed = json::parse(
      R"({"metadata":{"name":"web-1-x7k","labels":{"skiff.dev/process":"web","skiff.dev/release":"v3"}},"status":)" +
      status + "}");
  REQUIRE(parsed.has_value());
  return *parsed;
}

Value container(const std::string& state, int restarts = 0, const std::string& last = "{}") {
  return pod(R"({"containerStatuses":[{"restartCount":)" + std::to_string(restarts) + R"(,"state":)" + state +
             R"(,"lastState":)" + last + "}]}");
}

const std::string kEnded = R"({"terminated":{"exitCode":1,"startedAt":"2026-01-01T00:00:00Z",)"
                           R"("finishedAt":"2026-01-01T00:00:01Z"}})";
const std::string kSlow = R"({"terminated":{"exitCode":137,"startedAt":"2026-01-01T00:00:00Z",)"
                          R"("finishedAt":"2026-01-01T00:01:00Z"}})";

}  // namespace

TEST_CASE("a dyno that no node takes says so in the scheduler's words") {
  const auto trouble = find_trouble(pod(
      R"({"conditions":[{"type":"PodScheduled","status":"False","message":"0/1 nodes are available: 1 Too many pods."}]})"));
  CHECK(trouble.kind == DynoTrouble::Kind::kNoRoom);
  CHECK(trouble.why == "waits for room: 0/1 nodes are available: 1 Too many pods.");
}

TEST_CASE("a dyno on its way, or running, has no trouble") {
  CHECK(find_trouble(pod("{}")).kind == DynoTrouble::Kind::kNone);
  CHECK(find_trouble(container(R"({"waiting":{"reason":"ContainerCreating"}})")).kind ==
        DynoTrouble::Kind::kNone);
  CHECK(find_trouble(container(R"({"running":{}})", 3, kEnded)).kind == DynoTrouble::Kind::kNone);
}

TEST_CASE("a dyno without its image says why") {
  const auto trouble =
      find_trouble(container(R"({"waiting":{"reason":"ErrImagePull","message":"no such image"}})"));
  CHECK(trouble.kind == DynoTrouble::Kind::kWaiting);
  CHECK(trouble.why == "no such image");
}

TEST_CASE("a crash tells its status, its memory, or that it never listened") {
  CHECK(find_trouble(container(kEnded)).why == "exited with status 1");
  const std::string killed = R"({"terminated":{"exitCode":137,"reason":"OOMKilled"}})";
  CHECK(find_trouble(container(killed)).why == "used more than 512 MB of memory");
  const std::string back_off = R"({"waiting":{"reason":"CrashLoopBackOff"}})";
  CHECK(find_trouble(container(back_off, 1, kSlow)).why ==
        "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch");
}

TEST_CASE("a boot that timed out is told while the next one goes on") {
  const auto again = find_trouble(container(R"({"running":{}})", 1, kSlow));
  CHECK(again.kind == DynoTrouble::Kind::kCrashed);
  CHECK(again.why.starts_with("Error R10 (Boot timeout)"));
}

TEST_CASE("a web process that ran for hours and crashed had listened") {
  const std::string old = R"({"terminated":{"exitCode":1,"startedAt":"2026-01-01T00:00:00Z",)"
                          R"("finishedAt":"2026-01-01T07:00:00Z"}})";
  CHECK(find_trouble(container(old)).why == "exited with status 1");
}

TEST_CASE("a dyno that was evicted says so, whatever its process ended with") {
  const auto evicted = [](const std::string& message) {
    return find_trouble(pod(R"({"phase":"Failed","reason":"Evicted","message":")" + message +
                            R"(","containerStatuses":[{"state":{"terminated":{"exitCode":0}}}]})"));
  };
  CHECK(evicted("The node was low on resource: ephemeral-storage. Threshold quantity: 20Mi. ").why ==
        "evicted: disk full");
  CHECK(evicted("Container web exceeded its local ephemeral storage limit 2048Mi. ").why ==
        "evicted: Container web exceeded its local ephemeral storage limit 2048Mi.");
  CHECK(evicted("").kind == DynoTrouble::Kind::kCrashed);
}

TEST_CASE("a dyno has failed with its second crash, or when it never listened") {
  CHECK_FALSE(has_failed(container(kEnded)));
  CHECK(has_failed(container(kEnded, 1, kEnded)));
  CHECK(has_failed(container(R"({"running":{}})", 1, kSlow)));
  CHECK(has_failed(container(kSlow)));
  CHECK_FALSE(has_failed(container(R"({"running":{}})", 1, kEnded)));
}

TEST_CASE("a dyno is of a release") {
  CHECK(release_of(pod("{}")) == 3);
  CHECK(release_of(Value::object()) == 0);
  CHECK(name_of_dyno(pod("{}")) == "web.x7k");
}
