// What of Services, Ingresses, Endpoints and rights is refused, as upstream refuses it.
#include <doctest/doctest.h>

#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

struct Case {
  const char* changes;  // a JSON merge of members into the base object
  const char* error;    // "" for none
};

Value parse(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

void merge(Value& into, const Value& changes) {
  for (const auto& [name, value] : changes.members()) {
    if (value.is_object() && into[name].is_object()) {
      merge(into.edit(name), value);
    } else {
      into.set(name, value);
    }
  }
}

std::string errors_of(const Kind& kind, const Value& object, const Value* old = nullptr) {
  std::string out;
  for (const auto& error : validate(kind, object, old))
    out += (out.empty() ? "" : "\n") + error.field + ": " + error.message;
  return out;
}

void check_all(const char* group, const char* plural, std::string_view base,
               std::initializer_list<Case> cases) {
  Registry registry;
  const auto kind = registry.find(group, "v1", plural);
  REQUIRE(kind);
  for (const auto& one : cases) {
    CAPTURE(one.changes);
    Value object = parse(base);
    merge(object, parse(one.changes));
    apply_defaults(*kind, object);
    CHECK(errors_of(*kind, object) == one.error);
  }
}

TEST_CASE("a Service leads its traffic in ways that there are") {
  check_all(
      "", "services",
      R"({"metadata":{"name":"s","namespace":"n"},"spec":{"selector":{"a":"b"},"ports":[{"port":80}]}})",
      {
          {R"({"spec":{"ipFamilies":["IPv4"],"ipFamilyPolicy":"PreferDualStack"}})", ""},
          {R"({"spec":{"ipFamilies":["IPv6"]}})",
           "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"},
          {R"({"spec":{"ipFamilies":["IPv4","IPv4"]}})", "spec.ipFamilies[1]: Duplicate value: \"IPv4\""},
          {R"({"spec":{"ipFamilies":["IPv5"]}})",
           "spec.ipFamilies[0]: Unsupported value: \"IPv5\": supported values: \"IPv4\", \"IPv6\""},
          {R"({"spec":{"clusterIP":"None","clusterIPs":["None"],"selector":null,"ipFamilies":["IPv4","IPv6"],
               "ipFamilyPolicy":"RequireDualStack"}})",
           ""},
          {R"({"spec":{"ipFamilyPolicy":"x"}})",
           "spec.ipFamilyPolicy: Unsupported value: \"x\": supported values: \"PreferDualStack\", "
           "\"RequireDualStack\", \"SingleStack\""},
          {R"({"spec":{"ipFamilyPolicy":"RequireDualStack"}})",
           "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for "
           "dual-stack services"},
          {R"({"spec":{"type":"NodePort","externalTrafficPolicy":"Nonsense"}})",
           "spec.externalTrafficPolicy: Unsupported value: \"Nonsense\": supported values: \"Cluster\", "
           "\"Local\""},
          {R"({"spec":{"internalTrafficPolicy":"x"}})",
           "spec.internalTrafficPolicy: Unsupported value: \"x\": supported values: \"Cluster\", \"Local\""},
          {R"({"spec":{"trafficDistribution":"x"}})",
           "spec.trafficDistribution: Unsupported value: \"x\": supported values: \"PreferClose\""},
          {R"({"spec":{"loadBalancerSourceRanges":["10.0.0.0/8"]}})",
           "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"},
          {R"({"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":[" 10.0.0.0/8 ","10.0.0.1"]}})",
           "spec.LoadBalancerSourceRanges[1]: Invalid value: \"10.0.0.1\": must be a valid CIDR value, (e.g. "
           "10.9.8.0/24 or 2001:db8::/64)"},
          {R"({"spec":{"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}}}})",
           "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 "
           "and "
           "less than 86400"},
          {R"({"spec":{"ports":[{"port":80,"appProtocol":"kubernetes.io/h2c"}]}})", ""},
      });
}

TEST_CASE("Endpoints have ports that there are") {
  check_all(
      "", "endpoints", R"({"metadata":{"name":"e","namespace":"n"}})",
      {
          {R"({"subsets":[{"addresses":[{"ip":"10.1.2.3","hostname":"a","nodeName":"n"}],"ports":[{"port":80}]}]})",
           ""},
          {R"({"subsets":[{"addresses":[{"ip":"10.1.2.3"}],"ports":[{"port":0}]}]})",
           "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"},
          {R"({"subsets":[{"addresses":[{"ip":"10.1.2.3"}],"ports":[{"name":"a","port":70000},{"port":80}]}]})",
           "subsets[0].ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive\n"
           "subsets[0].ports[1].name: Required value"},
          {R"({"subsets":[{"addresses":[{"ip":"10.1.2.3"}],"ports":[{"port":80,"protocol":"X"}]}]})",
           "subsets[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", "
           "\"UDP\""},
      });
}

TEST_CASE("slices have ports, names and hints that there are") {
  check_all(
      "discovery.k8s.io", "endpointslices",
      R"({"metadata":{"name":"e","namespace":"n"},"addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"]}]})",
      {
          {R"({"ports":[{"name":"a","port":80},{"name":"b"}]})", ""},
          {R"({"ports":[{"port":70000}]})",
           "ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"},
          {R"({"ports":[{"port":80,"protocol":"X"}]})",
           "ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
          {R"({"ports":[{"name":"a","port":80},{"name":"a","port":81}]})",
           "ports[1].name: Duplicate value: \"a\""},
          {R"({"addressType":"FQDN","endpoints":[{"addresses":["a.example.com."]}]})", ""},
          {R"({"addressType":"FQDN","endpoints":[{"addresses":["foo"]}]})",
           "endpoints[0].addresses[0]: Invalid value: \"foo\": should be a domain with at least two segments "
           "separated by dots"},
          {R"({"endpoints":[{"addresses":["10.1.2.3"],"hints":{"forZones":[{"name":"a"},{"name":"a"}]}}]})",
           "endpoints[0].hints.forZones[1].name: Duplicate value: \"a\""},
      });
  Registry registry;
  Value slice = parse(R"({"metadata":{"name":"e","namespace":"n"},"addressType":"IPv4","endpoints":[{}]})");
  Value addresses = Value::array();
  for (int i = 1; i <= 101; ++i) addresses.push_back("10.0.0." + std::to_string(i));
  slice.edit("endpoints").edit_at(0).set("addresses", addresses);
  CHECK(errors_of(*registry.find("discovery.k8s.io", "v1", "endpointslices"), slice) ==
        "endpoints[0].addresses: Too many: 101: must have at most 100 items");
}

TEST_CASE("an IngressClass names its controller") {
  check_all("networking.k8s.io", "ingressclasses",
            R"({"metadata":{"name":"c"},"spec":{"controller":"acme.io/foo"}})",
            {
                {"{}", ""},
                {R"({"spec":{"controller":""}})", "spec.controller: Required value"},
                {R"({"spec":{"controller":"foo"}})",
                 "spec.controller: Invalid value: \"foo\": must be a domain-prefixed path (such as "
                 "\"acme.io/foo\")"},
                {R"({"spec":{"parameters":{"kind":"K","name":"n"}}})", ""},
                {R"({"spec":{"parameters":{"kind":"K","name":"n","scope":"Namespace"}}})",
                 "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"},
                {R"({"spec":{"parameters":{"kind":"K","name":"n","namespace":"x"}}})",
                 "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"},
                {R"({"spec":{"parameters":{"kind":"","name":"n"}}})", "spec.parameters.kind: Required value"},
            });
}

TEST_CASE("an Ingress names its class once, and its secrets and resources right") {
  check_all(
      "networking.k8s.io", "ingresses",
      R"({"metadata":{"name":"i","namespace":"n"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}})",
      {
          {R"({"spec":{"tls":[{"hosts":["*.a.b"],"secretName":"s"}]}})", ""},
          {R"({"metadata":{"annotations":{"kubernetes.io/ingress.class":"a"}},"spec":{"ingressClassName":"b"}})",
           "annotations.kubernetes.io/ingress.class: Invalid value: \"a\": must match `ingressClassName` "
           "when both "
           "are specified"},
          {R"({"spec":{"defaultBackend":{"resource":{"kind":"K","name":"n"}}}})",
           "spec.defaultBackend: Invalid value: \"\": cannot set both resource and service backends"},
          {R"({"spec":{"defaultBackend":{"service":null,"resource":{"kind":"K","name":"n"}}}})", ""},
          {R"({"spec":{"defaultBackend":{"service":null,"resource":{"name":"a/b"}}}})",
           "spec.defaultBackend.resource.kind: Required value\n"
           "spec.defaultBackend.resource.name: Invalid value: \"a/b\": may not contain '/'"},
      });
  Registry registry;
  const auto kind = registry.find("networking.k8s.io", "v1", "ingresses");
  const Value named = parse(R"({"metadata":{"name":"i","namespace":"n"},"spec":{
      "defaultBackend":{"service":{"name":"s","port":{"number":80}}},"tls":[{"secretName":"A_b"}]}})");
  CHECK(errors_of(*kind, named).starts_with("spec.tls[0].secretName: Invalid value: \"A_b\""));
  CHECK(errors_of(*kind, named, &named) == "");
}

TEST_CASE("rights name roles and select them by labels") {
  const char* group = "rbac.authorization.k8s.io";
  check_all(group, "rolebindings",
            R"({"metadata":{"name":"b","namespace":"n"},"roleRef":{"kind":"ClusterRole","name":"a/b"}})",
            {{"{}", "roleRef.name: Invalid value: \"a/b\": may not contain '/'"}});
  check_all(
      group, "clusterroles", R"({"metadata":{"name":"r"}})",
      {{R"({"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}})", ""},
       {R"({"aggregationRule":{}})",
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
        "aggregationRule is non-nil"},
       {R"({"aggregationRule":{"clusterRoleSelectors":[{"matchExpressions":[{"key":"a","operator":"x"}]}]}})",
        "aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: \"x\": not a "
        "valid selector operator"}});
}

}  // namespace
}  // namespace skiff::kube
