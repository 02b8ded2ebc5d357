#include "node/runtime/oci_config.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace skiff;
using namespace skiff::node;

namespace {
bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}
bool refuses(const json::Value& config, std::string_view call) {
  for (const auto& rule : config["linux"]["seccomp"]["syscalls"].items()) {
    for (const auto& name : rule["names"].items()) {
      if (name.str() == call && !rule.contains("args")) return true;
    }
  }
  return false;
}
}  // namespace

TEST_CASE("drop ALL with one addition leaves that capability alone") {
  CHECK(effective_capabilities({"NET_BIND_SERVICE"}, {"ALL"}) ==
        std::vector<std::string>{"CAP_NET_BIND_SERVICE"});
}

TEST_CASE("a capability that is dropped by name leaves the default set") {
  const auto set = effective_capabilities({}, {"mknod"});
  CHECK(!has(set, "CAP_MKNOD"));
  CHECK(has(set, "CAP_CHOWN"));
  CHECK(!has(set, "CAP_SYS_ADMIN"));
}

TEST_CASE("a container can neither mount nor load modules, and gains no privileges") {
  ContainerConfig config;
  config.args = {"true"};
  config.capabilities = default_capabilities();
  const auto oci = make_oci_config(config);
  CHECK(refuses(oci, "mount"));
  CHECK(refuses(oci, "init_module"));
  CHECK(!refuses(oci, "chroot"));
  CHECK(oci["process"]["noNewPrivileges"].as_bool());
  CHECK(oci["linux"]["resources"]["devices"].at(0)["allow"].as_bool(true) == false);
}

TEST_CASE("a user other than root starts without effective capabilities") {
  ContainerConfig config;
  config.user.uid = 1000;
  config.capabilities = default_capabilities();
  const auto process = make_oci_config(config)["process"];
  CHECK(process["capabilities"]["effective"].size() == 0);
  CHECK(process["capabilities"]["bounding"].size() == default_capabilities().size());
}

TEST_CASE("limits appear in the resources only where they are set") {
  ContainerConfig config;
  CHECK(!make_oci_config(config)["linux"]["resources"].contains("memory"));
  config.limits.memory_bytes = 64 << 20;
  config.limits.cpu_quota_us = 50000;
  const auto resources = make_oci_config(config)["linux"]["resources"];
  CHECK(resources["memory"]["limit"].as_int() == 64 << 20);
  CHECK(resources["cpu"]["quota"].as_int() == 50000);
}

TEST_CASE("a privileged container has every device and no filter") {
  ContainerConfig config;
  config.privileged = true;
  const auto oci = make_oci_config(config);
  CHECK(!oci["linux"].contains("seccomp"));
  CHECK(!oci["process"]["noNewPrivileges"].as_bool(true));
}
