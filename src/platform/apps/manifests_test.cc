#include "platform/apps/manifests.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

namespace {

json::Value pod_of(const std::string& type, const std::string& command) {
  return deployment_manifest({"shop", 1, "image", "config-v1"}, type, command, 1)["spec"]["template"];
}

}  // namespace

TEST_CASE("Kubernetes replaces nothing in a Procfile's command") {
  const std::string command = "echo $$ $(date) \"$PORT\" $$$";
  const auto pod = pod_of("web", command);
  CHECK(pod["spec"]["containers"].at(0)["command"].at(4).str() == "echo $$$$ $$(date) \"$$PORT\" $$$$$$");
  CHECK(command_of(pod) == command);
}

TEST_CASE("Kubernetes replaces nothing in the first process's script") {
  const auto script = pod_of("web", "bin/web")["spec"]["containers"].at(0)["command"].at(2).str();
  CHECK(script.find("$$") == std::string::npos);
  CHECK(script.find("$(") == std::string::npos);
}

TEST_CASE("a web process hears of its end when the edge has stopped sending; all have 30 seconds from then") {
  const auto web = pod_of("web", "bin/web")["spec"], worker = pod_of("worker", "bin/work")["spec"];
  CHECK(web["containers"].at(0)["lifecycle"]["preStop"]["sleep"]["seconds"].as_int() == kDrainSeconds);
  CHECK(web["terminationGracePeriodSeconds"].as_int() == 30 + kDrainSeconds);
  CHECK_FALSE(worker["containers"].at(0).contains("lifecycle"));
  CHECK(worker["terminationGracePeriodSeconds"].as_int() == 30);
}

TEST_CASE("a dyno is up when it has lived for a moment, whatever its type") {
  for (const char* type : {"web", "worker"}) {
    const auto deployment = deployment_manifest({"shop", 1, "image", "config-v1"}, type, "run", 1);
    CHECK(deployment["spec"]["minReadySeconds"].as_int() == kSettleSeconds);
  }
}

TEST_CASE("what a dyno asks for is what its namespace's level allows") {
  CHECK(namespace_manifest("shop")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"].str() ==
        "restricted");
  const auto pod = pod_of("web", "bin/web")["spec"];
  CHECK(pod["securityContext"]["runAsNonRoot"].as_bool());
  CHECK(pod["securityContext"]["seccompProfile"]["type"].str() == "RuntimeDefault");
  const auto& own = pod["containers"].at(0)["securityContext"];
  CHECK_FALSE(own["allowPrivilegeEscalation"].as_bool(true));
  CHECK(own["capabilities"]["drop"].at(0).str() == "ALL");
}

TEST_CASE("what a dyno may write is bounded, without keeping that much free for each") {
  const auto resources = pod_of("worker", "bin/work")["spec"]["containers"].at(0)["resources"];
  CHECK(resources["limits"]["ephemeral-storage"].str() == std::to_string(kDynoDiskMegabytes) + "Mi");
  CHECK(resources["requests"]["ephemeral-storage"].str() == "16Mi");
}
