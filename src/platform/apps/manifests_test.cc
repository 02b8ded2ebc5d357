#include "platform/apps/manifests.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::platform;

TEST_CASE("Kubernetes replaces nothing in a Procfile's command") {
  const std::string command = "echo $$ $(date) \"$PORT\" $$$";
  const auto deployment = deployment_manifest({"shop", 1, "image", "config-v1"}, "web", command, 1);
  const auto& pod = deployment["spec"]["template"];
  CHECK(pod["spec"]["containers"].at(0)["command"].at(4).str() == "echo $$$$ $$(date) \"$$PORT\" $$$$$$");
  CHECK(command_of(pod) == command);
}
