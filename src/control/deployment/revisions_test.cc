// Which templates are the same, and the name a template gives its ReplicaSet.
#include "control/deployment/revisions.h"

#include <doctest/doctest.h>

#include "control/deployment/plan.h"

namespace skiff::control {

namespace {

Value parsed(const char* text) {
  return json::parse(text).value_or(Value());
}
bool same(const char* a, const char* b) {
  return same_template(parsed(a), parsed(b));
}

}  // namespace

TEST_CASE("a label, annotation or node selector without a value makes another template") {
  CHECK_FALSE(
      same(R"({"metadata":{"labels":{"app":"web"}}})", R"({"metadata":{"labels":{"app":"web","a":""}}})"));
  CHECK_FALSE(same(R"({"metadata":{"annotations":{"a":""}}})", R"({"metadata":{}})"));
  CHECK_FALSE(same(R"({"spec":{"nodeSelector":{"a":""}}})", R"({"spec":{}})"));
  CHECK_FALSE(template_hash(parsed(R"({"metadata":{"labels":{"a":""}}})"), 0) ==
              template_hash(parsed("{}"), 0));
}

TEST_CASE("an empty map or field makes no other template") {
  CHECK(same(R"({"metadata":{"name":"a","annotations":{}},"spec":{"priority":0,"hostname":""}})",
             R"({"metadata":{"name":"a"},"spec":{"priority":0}})"));
}

TEST_CASE("amounts of resources are compared by value, and nothing else is") {
  CHECK(same(
      R"({"spec":{"containers":[{"resources":{"limits":{"memory":"1Gi"},"requests":{"cpu":"1.0"}}}]}})",
      R"({"spec":{"containers":[{"resources":{"limits":{"memory":"1073741824"},"requests":{"cpu":1}}}]}})"));
  CHECK_FALSE(same(R"({"spec":{"containers":[{"resources":{"limits":{"cpu":"1"}}}]}})",
                   R"({"spec":{"containers":[{"resources":{"limits":{"cpu":"2"}}}]}})"));
  CHECK_FALSE(
      same(R"({"metadata":{"labels":{"limits":"1.0"}}})", R"({"metadata":{"labels":{"limits":"1"}}})"));
  CHECK_FALSE(same(R"({"metadata":{"annotations":{"requests":"1k"}}})",
                   R"({"metadata":{"annotations":{"requests":"1000"}}})"));
}

TEST_CASE("a template gives the same name as in every version before") {
  const auto pod_template = parsed(R"({
      "metadata":{"creationTimestamp":null,"labels":{"app":"web"},"annotations":{"a":"b"}},
      "spec":{"containers":[{"name":"a","image":"i:1","env":[{"name":"E","value":""}],"securityContext":{},
              "resources":{"limits":{"cpu":"500m","memory":"1Gi"},"requests":{"cpu":"1"}}}],
              "hostname":"","volumes":[{"name":"v","emptyDir":{}}]}})");
  CHECK(template_hash(pod_template, 0) == "db4585544");
}

}  // namespace skiff::control
