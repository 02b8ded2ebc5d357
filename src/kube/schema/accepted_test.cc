// Manifests that upstream accepts beside ones like them that it refuses.
#include <doctest/doctest.h>

#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

// "field: message" of every error, a line each.
std::string errors_of(const char* group, const char* plural, std::string_view text) {
  Registry registry;
  const auto kind = registry.find(group, "v1", plural);
  REQUIRE(kind);
  auto object = json::parse(text);
  REQUIRE(object.has_value());
  apply_defaults(*kind, *object);
  std::string out;
  for (const auto& error : validate(*kind, *object, nullptr))
    out += error.field + ": " + error.message + "\n";
  return out;
}

TEST_CASE("a template on the host's network may leave its host ports to the pods") {
  const auto deployment = [](const std::string& port) {
    return R"({"metadata":{"name":"d","namespace":"n"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{
        "metadata":{"labels":{"a":"b"}},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i",
        "ports":[)" +
           port + "]}]}}}}";
  };
  CHECK(errors_of("apps", "deployments", deployment(R"({"containerPort":80})")) == "");
  CHECK(errors_of("apps", "deployments", deployment(R"({"containerPort":80,"hostPort":81})")) ==
        "spec.template.spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` "
        "when "
        "`hostNetwork` is true\n");
}

TEST_CASE("a RoleBinding's service account may leave its namespace out") {
  const std::string binding =
      R"({"metadata":{"name":"b","namespace":"n"},"roleRef":{"kind":"ClusterRole","name":"r"},
      "subjects":[{"kind":"ServiceAccount","name":"x"}]})";
  CHECK(errors_of("rbac.authorization.k8s.io", "rolebindings", binding) == "");
  CHECK(errors_of("rbac.authorization.k8s.io", "clusterrolebindings", R"({"metadata":{"name":"b"},
      "roleRef":{"kind":"ClusterRole","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"x"}]})") ==
        "subjects[0].namespace: Required value\n");
}

TEST_CASE("the external name of a Service may end with a dot") {
  const auto service = [](const std::string& name) {
    return R"({"metadata":{"name":"s","namespace":"n"},"spec":{"type":"ExternalName","externalName":")" +
           name + "\"}}";
  };
  CHECK(errors_of("", "services", service("foo.bar.example.com.")) == "");
  CHECK(errors_of("", "services", service(".")) == "spec.externalName: Required value\n");
  CHECK(errors_of("", "services", service("foo..")).starts_with("spec.externalName: Invalid value"));
}

}  // namespace
}  // namespace skiff::kube
