#include "node/pod/phase.h"

#include <doctest/doctest.h>

#include "io/file.h"

using namespace skiff;
using namespace skiff::node;

namespace {

json::Value load_histories() {
  auto text = io::read_file(std::string(SKIFF_SOURCE_DIR) + "/src/node/pod/testdata/pod_histories.json");
  REQUIRE(text.has_value());
  auto value = json::parse(*text);
  REQUIRE(value.has_value());
  return *value;
}

bool terminal(const std::string& phase) {
  return phase == "Succeeded" || phase == "Failed";
}

// A recorded terminal pod was torn down, and the tear-down decides the phase.
PodEnd end_of(const json::Value& entry) {
  return terminal(entry["phase"].str()) ? PodEnd::kClosing : PodEnd::kOpen;
}

// While upstream holds a terminal phase back the conditions tell it already.
bool held_back(const json::Value& entry) {
  const auto& ready = find_named(entry["conditions"], "Ready", "type");
  return !terminal(entry["phase"].str()) &&
         (ready["reason"].str() == "PodFailed" || ready["reason"].str() == "PodCompleted");
}

// Where the recording is not a function of the statuses in the same entry.
bool decided_elsewhere(const json::Value& scenario, const json::Value& entry) {
  const std::string& name = scenario["scenario"].str();
  // The deadline decides there, not the containers.
  if (name.starts_with("active-deadline")) return true;
  // Pods deleted before a container ran: upstream leaves the conditions of before beside the Failed phase.
  if (entry["containers"].at(0)["state"]["terminated"]["reason"].str() == "ContainerStatusUnknown")
    return true;
  if (name.starts_with("init-fail-always") && entry["phase"].str() == "Failed") return true;
  // Written by someone else before the node had looked again.
  const int64_t ms = entry["ms"].as_int();
  return (name == "readiness-gate" && ms == 4008) || (name == "sidecar-startup-probe" && ms == 2074);
}

}  // namespace

TEST_CASE("the phase of every recorded pod follows from its container statuses") {
  for (const auto& scenario : load_histories().items()) {
    for (const auto& entry : scenario["history"].items()) {
      if (held_back(entry) || decided_elsewhere(scenario, entry)) continue;
      CAPTURE(scenario["scenario"].str());
      CAPTURE(json::encode(entry));
      CHECK(compute_phase(scenario["spec"], entry["init"], entry["containers"], end_of(entry)) ==
            entry["phase"].str());
    }
  }
}

TEST_CASE("the conditions of every recorded pod follow from its container statuses") {
  for (const auto& scenario : load_histories().items()) {
    for (const auto& entry : scenario["history"].items()) {
      if (decided_elsewhere(scenario, entry)) continue;
      std::string phase = entry["phase"].str();
      if (held_back(entry)) {
        phase = find_named(entry["conditions"], "Ready", "type")["reason"].str() == "PodFailed" ? "Failed"
                                                                                                : "Succeeded";
      }
      // Other controllers' conditions are input.
      const json::Value before = json::Value::object({{"conditions", entry["conditions"]}});
      auto conditions =
          compute_conditions({scenario["spec"], before, entry["init"], entry["containers"], phase, true}, {});
      for (const auto& condition : conditions.items()) {
        const auto& expected = find_named(entry["conditions"], condition["type"].str(), "type");
        if (expected.is_null() || condition["type"].str() == "PodReadyToStartContainers") continue;
        CAPTURE(scenario["scenario"].str());
        CAPTURE(json::encode(entry));
        CHECK(condition["status"].str() == expected["status"].str());
        CHECK(condition["reason"].str() == expected["reason"].str());
        CHECK(condition["message"].str() == expected["message"].str());
      }
    }
  }
}

TEST_CASE("a condition keeps its transition time while its status stays") {
  const auto spec = *json::parse(R"({"containers":[{"name":"c"}]})");
  const auto up = *json::parse(R"([{"name":"c","state":{"running":{}},"ready":true,"started":true}])");
  const auto first =
      compute_conditions({spec, {}, {}, up, "Running", true}, WallTime(std::chrono::seconds(10)));
  const auto old = json::Value::object({{"conditions", first}});
  const auto second =
      compute_conditions({spec, old, {}, up, "Running", true}, WallTime(std::chrono::seconds(20)));
  CHECK(second == first);
  const auto third =
      compute_conditions({spec, old, {}, {}, "Running", true}, WallTime(std::chrono::seconds(20)));
  CHECK(find_named(third, "Ready", "type")["lastTransitionTime"].str() == "1970-01-01T00:00:20Z");
  CHECK(find_named(third, "Initialized", "type")["lastTransitionTime"].str() == "1970-01-01T00:00:10Z");
}
