#include <doctest/doctest.h>

#include "platform/apps/manifests.h"
#include "platform/builds/builder.h"

using namespace skiff;
using namespace skiff::platform;

static BuildFacts facts() {
  return {"shop",
          "b1",
          "c0ffee",
          "/d/builds/b1",
          {90, 512, 64, 1, 1, 1},
          {},
          {"/d/disks/shop", 64, BuildDisk::Bound::kByFileSystem},
          {"node", "ruby"},
          "build-b1-2"};
}

static json::Value failed(const char* reason, const char* ended) {
  auto pod = json::parse(R"({"status":{"containerStatuses":[{"state":{"terminated":{"exitCode":1}}}]}})");
  pod->edit("status").set("reason", reason);
  pod->edit("status")
      .edit("containerStatuses")
      .edit_items()[0]
      .edit("state")
      .edit("terminated")
      .set("reason", ended);
  return *pod;
}

TEST_CASE("a build runs as an unprivileged user that writes to its own disk only") {
  const auto pod = build_pod_manifest(facts(), {"/d", "/i", "/b", "/ca", {}}, {{"http_proxy", "http://p:1"}});
  const auto& spec = pod["spec"];
  const auto& container = spec["containers"].at(0);
  CHECK(spec["securityContext"]["runAsUser"].as_int() == kDynoUser);
  CHECK(spec["securityContext"]["runAsNonRoot"].as_bool());
  CHECK_FALSE(container["securityContext"]["allowPrivilegeEscalation"].as_bool(true));
  CHECK(pod["metadata"]["namespace"].str() == kBuildsNamespace);
  CHECK(container["securityContext"]["readOnlyRootFilesystem"].as_bool());
  CHECK(spec["activeDeadlineSeconds"].as_int() == 90);
  CHECK(container["resources"]["limits"]["memory"].str() == "512Mi");
  for (const auto& mount : container["volumeMounts"].items()) {
    if (mount["readOnly"].as_bool()) continue;
    for (const auto& volume : spec["volumes"].items()) {
      if (volume["name"].str() == mount["name"].str())
        CHECK(volume["hostPath"]["path"].str().starts_with("/d/disks/shop/"));
    }
  }
}

TEST_CASE("a build asks for memory that means something, and a small machine still builds") {
  CHECK(plan_memory_request(3072, 24000) == 1536);
  CHECK(plan_memory_request(3072, 2000) == 500);
  CHECK(plan_memory_request(100, 24000) == 64);
  CHECK(plan_memory_request(48, 24000) == 48);
  CHECK(plan_memory_request(3072, 128) == 64);
}

TEST_CASE("a build has the host's proxies and knows its commit") {
  const auto pod = build_pod_manifest(facts(), {"/d", "/i", "/b", "/ca", {}}, {{"http_proxy", "http://p:1"}});
  const std::string env = json::encode(pod["spec"]["containers"].at(0)["env"]);
  CHECK(env.find(R"({"name":"http_proxy","value":"http://p:1"})") != std::string::npos);
  CHECK(env.find(R"({"name":"SOURCE_VERSION","value":"c0ffee"})") != std::string::npos);
  CHECK(env.find("SKIFF_WATCH_DISK_MB") == std::string::npos);
}

TEST_CASE("a build's pod has the stack layers that it asks for") {
  const auto pod = build_pod_manifest(facts(), {"/d", "/i", "/b", "/ca", {}}, {});
  const auto& container = pod["spec"]["containers"].at(0);
  CHECK(pod["metadata"]["name"].str() == "build-b1-2");
  CHECK(container["image"].str() == "skiff.local/stack:build-node-ruby");
  CHECK(json::encode(container["env"]).find(R"({"name":"SKIFF_LAYERS","value":"node ruby"})") !=
        std::string::npos);
}

TEST_CASE("a failed build says which bound it met") {
  CHECK(explain_failure(failed("DeadlineExceeded", "Error"), facts(), false) ==
        "the build took longer than 90 seconds and was stopped; build less, or in smaller steps, or raise "
        "\"seconds\" (90) in DATA/platform/build-limits.json");
  CHECK(explain_failure(failed("", "OOMKilled"), facts(), false) ==
        "the build used more than 512 MB of memory and was stopped; run fewer jobs at once, or raise "
        "\"memoryMb\" (512) in DATA/platform/build-limits.json");
  CHECK(explain_failure(failed("", "Error"), facts(), true) ==
        "the build filled its disk of 64 MB, which also holds its cache; write less, or raise "
        "\"diskMb\" (64) in DATA/platform/build-limits.json");
  auto small = facts();
  small.limits.disk_mb = 4096;
  CHECK(explain_failure(failed("", "Error"), small, true) ==
        "the build filled its disk of 64 MB, which also holds its cache; write less, or free some of the "
        "host's disk, which has no more");
  CHECK(explain_failure(failed("", "Error"), facts(), false) == "the build ended with exit code 1");
  CHECK(
      explain_failure(failed("Evicted", "Error"), facts(), false) ==
      "the build's log and the message of its end (/dev/termination-log) took more than 256 MB of the host's "
      "disk, and it was stopped; print less, or write it to a file below /tmp");
}

TEST_CASE("what a build leaves outside of its disk is bounded too") {
  const auto pod = build_pod_manifest(facts(), {"/d", "/i", "/b", "/ca", {}}, {});
  const auto& resources = pod["spec"]["containers"].at(0)["resources"];
  CHECK(resources["limits"]["ephemeral-storage"].str() == "256Mi");
  CHECK(resources["requests"]["ephemeral-storage"].str() == "16Mi");
}

TEST_CASE("a build without room says what it waits for, and how many are before it") {
  CHECK(describe_wait("waits for room: 0/1 nodes are available", 0) ==
        " !     The build waits for room: 0/1 nodes are available\n");
  CHECK(describe_wait("waits for room: no room", 1) ==
        " !     The build waits for room: no room; another build is before it\n");
  CHECK(describe_wait("waits for room: no room", 3) ==
        " !     The build waits for room: no room; 3 other builds are before it\n");
}
