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
