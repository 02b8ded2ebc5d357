// The standards against upstream's own evaluation of the same pods (k8s.io/pod-security-admission 0.32), and
// what labels mean.
#include <doctest/doctest.h>

#include <fstream>

#include "kube/pod_security/pod_security.h"

namespace skiff::kube {
namespace {

json::Value labels(std::initializer_list<json::Member> members) {
  json::Value out = json::Value::object();
  for (const auto& [name, value] : members) out.set("pod-security.kubernetes.io/" + name, value);
  return out;
}

}  // namespace

TEST_CASE("each check of each level and version says what upstream says") {
  std::ifstream lines(std::string(SKIFF_SOURCE_DIR) + "/src/kube/pod_security/testdata/standards.jsonl");
  int seen = 0, refused = 0;
  for (std::string line; std::getline(lines, line); ++seen) {
    const auto test = json::parse(line);
    REQUIRE(test);
    const json::Value metadata = json::Value::object({{"annotations", (*test)["annotations"]}});
    const auto policy =
        pod_security_policy(labels({{"enforce", (*test)["level"]}, {"enforce-version", (*test)["version"]}}));
    REQUIRE(policy.errors.empty());
    const auto verdict = judge_pod(policy.policy.enforce, metadata, (*test)["spec"]);
    CAPTURE(line);
    CHECK(verdict.details() == (*test)["says"].str());
    refused += verdict.allowed() ? 0 : 1;
  }
  CHECK(seen > 500);
  CHECK(refused > 300);
}

TEST_CASE("a namespace without labels has the level baseline in all modes") {
  const auto [policy, errors] = pod_security_policy({});
  CHECK(errors.empty());
  for (const auto& mode : {policy.enforce, policy.audit, policy.warn})
    CHECK(mode.to_string() == "baseline:latest");
}

TEST_CASE("audit and warn follow enforce, unless they have labels of their own") {
  const auto all = pod_security_policy(labels({{"enforce", "privileged"}, {"enforce-version", "v1.24"}}));
  CHECK(all.policy.warn.to_string() == "privileged:v1.24");
  const auto own = pod_security_policy(
      labels({{"enforce", "privileged"}, {"warn", "restricted"}, {"audit-version", "v1.0"}}));
  CHECK(own.policy.enforce.to_string() == "privileged:latest");
  CHECK(own.policy.warn.to_string() == "restricted:latest");
  CHECK(own.policy.audit.to_string() == "privileged:v1.0");
}

TEST_CASE("labels that are no level or version are errors, and the strictest is enforced") {
  const auto bad = pod_security_policy(labels({{"enforce", "none"}, {"warn-version", "1.25"}}));
  CHECK(bad.policy.enforce.to_string() == "restricted:latest");
  REQUIRE(bad.errors.size() == 2);
  CHECK(bad.errors[0].field == "metadata.labels[pod-security.kubernetes.io/enforce]");
  CHECK(bad.errors[0].message == R"(Invalid value: "none": must be one of privileged, baseline, restricted)");
  CHECK(bad.errors[1].field == "metadata.labels[pod-security.kubernetes.io/warn-version]");
  CHECK(bad.errors[1].message == R"(Invalid value: "1.25": must be "latest" or "v1.x")");
  for (const char* version : {"", "v1", "v1.", "v2.0", "v1.01", "v1.x", "Latest", "v1.2.3", "v1.-1"}) {
    CAPTURE(version);
    CHECK(pod_security_policy(labels({{"enforce-version", version}})).errors.size() == 1);
  }
  CHECK(pod_security_policy(labels({{"enforce-version", "v1.100"}})).errors.empty());
}

}  // namespace skiff::kube
