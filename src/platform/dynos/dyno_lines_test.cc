#include "platform/dynos/dyno_lines.h"

#include <doctest/doctest.h>

#include "base/strings.h"

using namespace skiff;
using namespace skiff::platform;
using json::Value;

namespace {

const std::string kStarted = "2026-01-01T00:00:00Z";

// A pod of one container in `state`, with `restarts` behind it.
Value pod(const std::string& state, int restarts = 0, const std::string& last = "{}",
          const char* type = "web") {
  auto value = json::parse(
      R"({"metadata":{"name":"web-1","labels":{"skiff.dev/process":")" + std::string(type) +
      R"("}},"spec":{"containers":[{"command":["a","b","c","d","bin/server"]}]},
    "status":{"containerStatuses":[{"restartCount":)" +
      std::to_string(restarts) + R"(,"started":true,"state":)" + state + R"(,"lastState":)" + last + "}]}}");
  REQUIRE(value.has_value());
  return *value;
}

const std::string kRunning = R"({"running":{"startedAt":")" + kStarted + R"("}})";

std::string ended(int code, const std::string& finished, const std::string& reason = "Error") {
  return R"({"terminated":{"exitCode":)" + std::to_string(code) + R"(,"reason":")" + reason +
         R"(","startedAt":")" + kStarted + R"(","finishedAt":")" + finished + R"("}})";
}

Value not_started(Value value) {
  value.edit("status").edit("containerStatuses").edit_at(0).set("started", false);
  return value;
}

Value deleted(Value value, const std::string& at = "2026-01-01T00:01:00Z") {
  value.edit("metadata").set("deletionTimestamp", at);
  return value;
}

std::string tell(const Value& seen, ToldDyno& told) {
  return join(plan_dyno_lines(seen, told), "; ");
}

}  // namespace

TEST_CASE("a dyno starts, is up, is stopped and exits") {
  ToldDyno told;
  CHECK(tell(pod(R"({"waiting":{"reason":"ContainerCreating"}})"), told).empty());
  CHECK(tell(not_started(pod(kRunning)), told) == "Starting process with command `bin/server`");
  CHECK(tell(not_started(pod(kRunning)), told).empty());
  CHECK(tell(pod(kRunning), told) == "State changed from starting to up");
  CHECK(tell(deleted(pod(kRunning)), told) ==
        "State changed from up to down; Stopping all processes with SIGTERM");
  CHECK(tell(deleted(pod(ended(143, "2026-01-01T00:00:09Z"))), told) == "Process exited with status 143");
  CHECK(tell(deleted(pod(ended(143, "2026-01-01T00:00:09Z"))), told).empty());
}

TEST_CASE("a crash is told, and the start after it") {
  ToldDyno told{1, "up"};
  CHECK(tell(pod(ended(3, "2026-01-01T00:00:01Z")), told) ==
        "Process exited with status 3; State changed from up to crashed");
  CHECK(tell(pod(R"({"waiting":{"reason":"CrashLoopBackOff"}})", 0, ended(3, "2026-01-01T00:00:01Z")), told)
            .empty());
  CHECK(tell(not_started(pod(kRunning, 1, ended(3, "2026-01-01T00:00:01Z"))), told) ==
        "State changed from crashed to starting; Starting process with command `bin/server`");
  CHECK(told == ToldDyno{2, "starting"});
}

TEST_CASE("what was missed is told later") {
  ToldDyno told{1, "up"};
  CHECK(tell(pod(kRunning, 4, ended(1, "2026-01-01T00:00:01Z")), told) ==
        "Process exited with status 1; State changed from up to crashed; State changed from crashed to "
        "starting; "
        "Starting process with command `bin/server`; State changed from starting to up");
}

TEST_CASE("a web process that never listens gets R10") {
  ToldDyno told{1, "starting"};
  CHECK(tell(not_started(pod(ended(137, "2026-01-01T00:01:01Z"))), told) ==
        "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch; "
        "Stopping process with SIGKILL; Process exited with status 137; State changed from starting to "
        "crashed");
}

TEST_CASE("a process that crashes while it starts gets no R10") {
  ToldDyno told{1, "starting"};
  CHECK(tell(not_started(pod(ended(1, "2026-01-01T00:00:05Z"))), told) ==
        "Process exited with status 1; State changed from starting to crashed");
}

TEST_CASE("a process that ignores SIGTERM gets R12") {
  ToldDyno told{1, "stopping"};
  CHECK(tell(deleted(pod(ended(137, "2026-01-01T00:01:00Z"))), told) ==
        "Error R12 (Exit timeout) -> Process failed to exit within 30 seconds of SIGTERM; "
        "Stopping process with SIGKILL; Process exited with status 137");
}

TEST_CASE("a process above its memory gets R15") {
  ToldDyno told{1, "up"};
  CHECK(tell(pod(ended(137, "2026-01-01T00:00:05Z", "OOMKilled")), told) ==
        "Process running mem=512M(100.0%); Error R15 (Memory quota vastly exceeded); "
        "Stopping process with SIGKILL; Process exited with status 137; State changed from up to crashed");
}

TEST_CASE("a dyno that wrote too much is told why it was stopped") {
  ToldDyno told;
  tell(pod(kRunning), told);
  auto evicted = pod(ended(137, "2026-01-01T00:00:09Z"));
  evicted.edit("status").set("reason", "Evicted");
  evicted.edit("status").set("message",
                             "Container web exceeded its local ephemeral storage limit \"2048Mi\". ");
  CHECK(tell(evicted, told)
            .starts_with("Stopping process: evicted: Container web exceeded its local ephemeral storage "
                         "limit \"2048Mi\".; "));
}

TEST_CASE("a pod that goes before it ran is not talked about") {
  ToldDyno told;
  CHECK(tell(deleted(pod(R"({"waiting":{}})")), told).empty());
}

TEST_CASE("a dyno that no node has room for says so once, and starts later") {
  ToldDyno told;
  Value full = pod("{}");
  full.edit("status").set(
      "conditions",
      *json::parse(R"([{"type":"PodScheduled","status":"False","message":"1 Too many pods."}])"));
  CHECK(tell(full, told) == "Not started yet: waits for room: 1 Too many pods.");
  CHECK(tell(full, told).empty());
  CHECK(tell(not_started(pod(kRunning)), told) == "Starting process with command `bin/server`");
}

TEST_CASE("what was told is kept as text") {
  for (const ToldDyno& told : {ToldDyno{}, ToldDyno{12, "crashed"}})
    CHECK(parse_told(encode_told(told)) == told);
}
