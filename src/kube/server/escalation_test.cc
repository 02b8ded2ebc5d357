#include "kube/server/escalation.h"

#include <doctest/doctest.h>

using namespace skiff;
using namespace skiff::kube;

namespace {

json::Value rule(const std::string& text) {
  return json::parse(text).value();
}

// One whose four lists hold `count` names each.
json::Value wide_rule(size_t count) {
  json::Value out = json::Value::object({});
  for (const char* field : {"verbs", "apiGroups", "resources", "resourceNames"}) {
    json::Value list = json::Value::array();
    for (size_t i = 0; i < count; ++i) list.push_back("n" + std::to_string(i));
    out.set(field, std::move(list));
  }
  return out;
}

}  // namespace

TEST_CASE("a rule is held when one rule or several together cover it") {
  const auto pods = rule(R"({"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]})");
  const auto maps = rule(R"({"verbs":["get"],"apiGroups":[""],"resources":["configmaps"]})");
  const auto both = rule(R"({"verbs":["get"],"apiGroups":[""],"resources":["pods","configmaps"]})");
  CHECK(missing_rules({pods}, {pods}).empty());
  CHECK(missing_rules({pods, maps}, {both}).empty());
  CHECK(missing_rules({pods}, {both}) ==
        std::vector<std::string>{R"({APIGroups:[""], Resources:["configmaps"], Verbs:["get"]})"});
  const auto named = rule(R"({"verbs":["get"],"apiGroups":[""],"resources":["pods"],"resourceNames":["a"]})");
  CHECK(missing_rules({pods}, {named}).empty());
  CHECK(missing_rules({named}, {named}).empty());
  CHECK_FALSE(missing_rules({named}, {both}).empty());
  CHECK_FALSE(missing_rules({named}, {pods}).empty());
}

TEST_CASE("a rule of millions of combinations costs no more than it says") {
  const auto wide = wide_rule(200);
  const auto missing = missing_rules({}, {wide});
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].find("4096") != std::string::npos);
  CHECK(missing_rules({wide}, {wide}).empty());
  CHECK(missing_rules({}, {wide_rule(8)}).size() == 8 * 8 * 8);
}
