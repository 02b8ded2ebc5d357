#include <doctest/doctest.h>

#include "kube/schema/pattern.h"
#include "kube/schema/quantity.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

Value parse(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

// "field: message" of every error, a line each.
std::string errors_of(const Kind& kind, const Value& object, const Value* old = nullptr) {
  std::string out;
  for (const auto& error : validate(kind, object, old)) out += error.field + ": " + error.message + "\n";
  return out;
}

Value pod(std::string_view image) {
  Registry registry;
  auto object = parse(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},
      "spec":{"containers":[{"name":"c","image":"b:1"}],"tolerations":[{"key":"a","operator":"Exists"}]}})");
  object.edit("spec").edit("containers").edit_at(0).set("image", image);
  apply_defaults(*registry.find("", "v1", "pods"), object);
  return object;
}

Kind gizmo() {
  Kind kind;
  kind.group = "e.example.com";
  kind.version = "v1";
  kind.kind = "Gizmo";
  kind.plural = "gizmos";
  kind.custom = true;
  kind.custom_schema =
      parse(R"({"type":"object","properties":{"spec":{"type":"object","required":["size"],"properties":{
      "size":{"type":"integer","maximum":5},"color":{"type":"string","enum":["red","blue"],"default":"red"},
      "list":{"type":"array","maxItems":2,"items":{"type":"string","pattern":"^a"}},
      "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}})");
  return kind;
}

Value gizmo_object(std::string_view spec) {
  auto object = parse(R"({"apiVersion":"e.example.com/v1","kind":"Gizmo","metadata":{"name":"g"}})");
  object.set("spec", parse(spec));
  return object;
}

}  // namespace

TEST_CASE("a pod may not mount a token that nobody would give it") {
  Registry registry;
  const auto said = [&](int64_t seconds) {
    Value object = pod("b:1");
    object.edit("metadata").set("namespace", "d");
    const Value token = Value::object({{"path", "t"}, {"expirationSeconds", seconds}});
    const Value sources = Value::array({Value::object({{"serviceAccountToken", token}})});
    object.edit("spec").set(
        "volumes",
        Value::array({Value::object({{"name", "v"}, {"projected", Value::object({{"sources", sources}})}})}));
    return errors_of(*registry.find("", "v1", "pods"), object);
  };
  CHECK(said(600) == "");
  CHECK(said(60) ==
        "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may "
        "not "
        "specify a duration less than 10 minutes\n");
}

TEST_CASE("endpoints are never the machine itself or on a local link") {
  Registry registry;
  const Kind& slices = *registry.find("discovery.k8s.io", "v1", "endpointslices");
  const auto said = [&](std::string_view type, const std::string& address) {
    Value slice = parse(R"({"metadata":{"name":"s","namespace":"d"},"endpoints":[{"addresses":["x"]}]})");
    slice.set("addressType", type);
    slice.edit("endpoints").edit_at(0).edit("addresses").edit_at(0) = address;
    return errors_of(slices, slice);
  };
  const std::string at = "endpoints[0].addresses[0]: Invalid value: ";
  CHECK(said("IPv4", "10.1.2.3") == "");
  CHECK(said("IPv6", "fd00::1") == "");
  CHECK(said("IPv4", "127.9.0.1") ==
        at + "\"127.9.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)\n");
  CHECK(said("IPv4", "169.254.169.254") ==
        at + "\"169.254.169.254\": may not be in the link-local range (169.254.0.0/16, fe80::/10)\n");
  CHECK(said("IPv4", "224.0.0.9") ==
        at + "\"224.0.0.9\": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)\n");
  CHECK(said("IPv4", "0.0.0.0") == at + "\"0.0.0.0\": may not be unspecified (0.0.0.0)\n");
  for (const char* address : {"::", "::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1"}) {
    CHECK(said("IPv6", address).contains(": may not be "));
  }
}

TEST_CASE("the addresses of Endpoints are judged as those of slices, unless they were there before") {
  Registry registry;
  const Kind& kind = *registry.find("", "v1", "endpoints");
  const Value object = parse(R"({"metadata":{"name":"e","namespace":"d"},"subsets":[
      {"addresses":[{"ip":"10.1.2.3"}],"notReadyAddresses":[{"ip":"127.0.0.1"}]},{}]})");
  CHECK(errors_of(kind, object) ==
        "subsets[0].notReadyAddresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range "
        "(127.0.0.0/8, ::1/128)\n"
        "subsets[1]: Required value: must specify `addresses` or `notReadyAddresses`\n");
  CHECK(errors_of(kind, object, &object) == "");
}

TEST_CASE("a pod's image may change, its other fields may not") {
  Registry registry;
  auto kind = registry.find("", "v1", "pods");
  auto old = pod("b:1");
  CHECK(errors_of(*kind, pod("b:2"), &old) == "");
  auto moved = old;
  moved.edit("spec").set("nodeName", "x");
  CHECK(errors_of(*kind, moved, &old)
            .starts_with("spec: Forbidden: pod updates may not change fields other than"));
  auto grown = old;
  grown.edit("spec").edit("containers").push_back(old["spec"]["containers"].at(0));
  CHECK(errors_of(*kind, grown, &old)
            .contains("spec.containers: Forbidden: pod updates may not add or remove"));
}

TEST_CASE("the selector of a deployment is immutable") {
  Registry registry;
  auto kind = registry.find("apps", "v1", "deployments");
  auto old = parse(R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"d"},"spec":{
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b","c":"d"}},
      "spec":{"containers":[{"name":"c","image":"b:1"}]}}}})");
  apply_defaults(*kind, old);
  CHECK(errors_of(*kind, old, &old) == "");
  auto changed = old;
  changed.edit("spec").set("selector", parse(R"({"matchLabels":{"c":"d"}})"));
  CHECK(errors_of(*kind, changed, &old) ==
        "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"c\":\"d\"}, "
        "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable\n");
}

TEST_CASE("an immutable config map keeps its data") {
  Registry registry;
  auto kind = registry.find("", "v1", "configmaps");
  auto old = parse(R"({"metadata":{"name":"c"},"data":{"a":"b"},"immutable":true})");
  auto changed = parse(R"({"metadata":{"name":"c"},"data":{"a":"c"}})");
  CHECK(errors_of(*kind, changed, &old) ==
        "immutable: Forbidden: field is immutable when `immutable` is set\n"
        "data: Forbidden: field is immutable when `immutable` is set\n");
}

TEST_CASE("values and annotations have a largest size") {
  Registry registry;
  auto kind = registry.find("", "v1", "configmaps");
  auto object = parse(R"({"metadata":{"name":"c"}})");
  object.edit("data").set("a", std::string(1048577, 'x'));
  CHECK(errors_of(*kind, object) == "[]: Too long: may not be more than 1048576 bytes\n");
  object.erase("data");
  object.edit("metadata").edit("annotations").set("a", std::string(262144, 'x'));
  CHECK(errors_of(*kind, object) == "metadata.annotations: Too long: may not be more than 262144 bytes\n");
}

TEST_CASE("finalizers cannot be added while an object is deleted") {
  Registry registry;
  auto kind = registry.find("", "v1", "configmaps");
  auto old = parse(
      R"({"metadata":{"name":"c","finalizers":["e.com/f"],"deletionTimestamp":"2026-01-01T00:00:00Z"}})");
  auto object = parse(R"({"metadata":{"name":"c","finalizers":["e.com/f","e.com/g"]}})");
  CHECK(errors_of(*kind, object, &old) ==
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        "found new "
        "finalizers []string{\"e.com/g\"}\n");
}

TEST_CASE("custom resources are held to their schema") {
  auto kind = gizmo();
  CHECK(errors_of(kind, gizmo_object(R"({"size":2})")) == "");
  CHECK(errors_of(kind, gizmo_object("{}")) == "spec.size: Required value\n");
  CHECK(errors_of(kind, gizmo_object(R"({"size":"x"})")) ==
        "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"\n");
  CHECK(errors_of(kind, gizmo_object(R"({"size":9})")) ==
        "spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5\n");
  CHECK(errors_of(kind, gizmo_object(R"({"size":1,"color":"green"})")) ==
        "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"\n");
  CHECK(errors_of(kind, gizmo_object(R"({"size":1,"list":["b","a","a"]})")) ==
        "spec.list[0]: Invalid value: \"b\": spec.list[0] in body should match '^a'\n"
        "spec.list: Too many: 3: must have at most 2 items\n");
}

TEST_CASE("patterns are those of Go's regexp, and none takes a stack or an age") {
  const auto found = [](const std::string& pattern, const std::string& text) {
    const auto compiled = Pattern::compile(pattern);
    REQUIRE_MESSAGE(compiled.has_value(), compiled.error().message);
    return (*compiled)->is_in(text);
  };
  CHECK(found("^(a+)+$", std::string(100'000, 'a')));
  CHECK_FALSE(found("^(a+)+$", std::string(100'000, 'a') + "!"));
  CHECK(found("^" + std::string(60, '(') + "a" + std::string(60, ')') + "*$", std::string(4096, 'a')));
  CHECK(found("(?i)^\\pL+$", "\xc3\xa9T\xc3\xa9"));
  CHECK(found("^(?<word>\\w+)\\z", "abc"));
  CHECK(found("[(?<a]", "<"));
  const auto wrong = [](const std::string& pattern) {
    const auto compiled = Pattern::compile(pattern);
    return compiled ? std::string() : compiled.error().message;
  };
  CHECK(wrong("(a") == "error parsing regexp: missing closing ): `(a`");
  CHECK(wrong("a(?=b)") == "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
  CHECK(wrong("*") == "error parsing regexp: missing argument to repetition operator: `*`");
  CHECK(wrong("a{2000}") == "error parsing regexp: invalid repeat count: `{2000}`");
  CHECK_FALSE(wrong(std::string(200'000, '(') + "a" + std::string(200'000, ')')).empty());
  CHECK_FALSE(wrong("((a{900}){900}){900}").empty());
}

TEST_CASE("paths of volumes stay in the volume") {
  const Registry registry;
  const auto kind = registry.find("", "v1", "pods");
  const auto errors = [&](const std::string& volume, const std::string& mount = "") {
    auto object = pod("b:1");
    object.edit("spec").set("volumes", Value::array({parse(volume)}));
    object.edit("spec").edit("volumes").edit_at(0).set("name", "v");
    if (!mount.empty())
      object.edit("spec").edit("containers").edit_at(0).set("volumeMounts", Value::array({parse(mount)}));
    return errors_of(*kind, object);
  };
  const std::string at = "spec.volumes[0].";
  CHECK(errors(R"({"configMap":{"name":"c","items":[{"key":"a","path":"../../x"}]}})") ==
        at + "configMap.items[0].path: Invalid value: \"../../x\": must not contain '..'\n");
  CHECK(
      errors(R"({"secret":{"secretName":"s","items":[{"key":"a","path":"/x"},{"key":"b","path":"..x"}]}})") ==
      at + "secret.items[0].path: Invalid value: \"/x\": must be a relative path\n" + at +
          "secret.items[1].path: Invalid value: \"..x\": must not start with '..'\n");
  CHECK(errors(R"({"configMap":{"name":"c","items":[{"key":"","path":"","mode":512}]}})") ==
        at + "configMap.items[0].key: Required value\n" + at + "configMap.items[0].path: Required value\n" +
            at +
            "configMap.items[0].mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both "
            "inclusive\n");
  CHECK(errors(R"({"downwardAPI":{"items":[{"path":"a/../b","fieldRef":{"fieldPath":"metadata.name"}}]}})") ==
        at + "downwardAPI.path: Invalid value: \"a/../b\": must not contain '..'\n");
  CHECK(
      errors(R"({"projected":{"sources":[{"serviceAccountToken":{"path":"../t"}},
        {"secret":{"name":"s","items":[{"key":"k","path":"p"}]}},
        {"configMap":{"name":"c","items":[{"key":"k","path":"p"}]}}]}})") ==
      at + "projected.sources[0].serviceAccountToken.path: Invalid value: \"../t\": must not contain '..'\n" +
          at + "projected.sources[2].configMap: Invalid value: \"p\": conflicting duplicate paths\n");
  CHECK(errors(R"({"hostPath":{"path":"/a/../b"}})") ==
        at + "hostPath.path: Invalid value: \"/a/../b\": must not contain '..'\n");
  const std::string mount = "spec.containers[0].volumeMounts[0].";
  CHECK(errors(R"({"emptyDir":{}})", R"({"name":"v","mountPath":"/v","subPath":"a/.."})") ==
        mount + "subPath: Invalid value: \"a/..\": must not contain '..'\n");
  CHECK(errors(R"({"emptyDir":{}})", R"({"name":"v","mountPath":"/v","subPath":"a","subPathExpr":"/b"})") ==
        mount + "subPathExpr: Invalid value: \"/b\": subPathExpr and subPath are mutually exclusive\n" +
            mount + "subPathExpr: Invalid value: \"/b\": must be a relative path\n");
  CHECK(errors(R"({"configMap":{"name":"c","items":[{"key":"a","path":"d/..x/e..f"}]}})").empty());
}

TEST_CASE("an affinity that asks for one of no values is refused") {
  const Registry registry;
  auto object = pod("b:1");
  object.edit("spec").set("affinity", parse(R"({"nodeAffinity":{
      "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchExpressions":[{"key":"a","operator":"In"}],"matchFields":[{"key":"x","operator":"In","values":["n"]}]}]}},
      "podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":0,"podAffinityTerm":
        {"topologyKey":"h","labelSelector":{"matchExpressions":[{"key":"a","operator":"NotIn"}]}}}]}})"));
  const std::string required = "requiredDuringSchedulingIgnoredDuringExecution",
                    preferred = "preferredDuringSchedulingIgnoredDuringExecution",
                    node = "spec.affinity.nodeAffinity." + required + ".nodeSelectorTerms[0].",
                    near = "spec.affinity.podAntiAffinity." + preferred + "[0].";
  CHECK(
      errors_of(*registry.find("", "v1", "pods"), object) ==
      node +
          "matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or "
          "'NotIn'\n" +
          node + "matchFields[0].key: Invalid value: \"x\": not a valid field selector key\n" + near +
          "weight: Invalid value: 0: must be in the range 1-100\n" + near +
          "podAffinityTerm.labelSelector.matchExpressions[0].values: Required value: must be specified when "
          "`operator` is 'In' or 'NotIn'\n");
}

TEST_CASE("a definition whose pattern cannot be read is refused, wherever the pattern stands") {
  const Registry registry;
  const auto kind = registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  const auto definition = [](const std::string& schema) {
    return parse(R"({"metadata":{"name":"as.x.io"},"spec":{"group":"x.io","scope":"Cluster",
        "names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","storage":true,
        "schema":{"openAPIV3Schema":)" +
                 schema + "}}]}}");
  };
  const std::string nested = R"({"properties":{"a":{"items":{"pattern":"(a"}}}})";
  const Value refused = definition(nested);
  CHECK(errors_of(*kind, refused) ==
        "spec.validation.openAPIV3Schema.properties[a].items.pattern: Invalid value: \"(a\": must be a valid "
        "regular expression, but isn't: error parsing regexp: missing closing ): `(a`\n");
  CHECK(errors_of(*kind, definition(R"({"pattern":"^a$"})")).empty());
  CHECK(errors_of(*kind, refused, &refused).empty());
}

TEST_CASE("custom resources lose unknown fields and get their schema's defaults") {
  auto kind = gizmo();
  auto decoded = conform(kind, gizmo_object(R"({"size":1,"zork":1,"free":{"any":{"thing":1}}})"));
  REQUIRE(decoded.has_value());
  CHECK(decoded->strict_findings == std::vector<std::string>{"unknown field \"spec.zork\""});
  apply_defaults(kind, decoded->object);
  CHECK(decoded->object["spec"] == parse(R"({"size":1,"color":"red","free":{"any":{"thing":1}}})"));
}

TEST_CASE("quantities are stored in their shortest whole form") {
  for (auto [text, stored] : std::initializer_list<std::pair<const char*, const char*>>{{"1.5Gi", "1536Mi"},
                                                                                        {"0.1", "100m"},
                                                                                        {"2000000", "2M"},
                                                                                        {"1024Ki", "1Mi"},
                                                                                        {"1000m", "1"},
                                                                                        {"0", "0"},
                                                                                        {"1e3", "1e3"},
                                                                                        {"-1", "-1"},
                                                                                        {"100n", "100n"},
                                                                                        {"1.5", "1500m"}}) {
    auto quantity = parse_quantity(text);
    REQUIRE(quantity);
    CHECK(format_quantity(*quantity) == stored);
  }
  CHECK(format_quantity(*parse_quantity("888888888888888888889n")) == "888888888888888888889n");
  for (auto text : {"", "x", "1x", "1.2.3", "--1", "1ee3", "."}) CHECK_FALSE(parse_quantity(text));
}

TEST_CASE("a damaged protobuf body is refused") {
  Registry registry;
  CHECK_FALSE(decode_protobuf(registry, "xx"));
  std::string body("k8s\0", 4);
  CHECK_FALSE(decode_protobuf(registry, body));
  CHECK_FALSE(decode_protobuf(registry, body + "\x0a\xff\xff\xff\xff\x0f"));
}

}  // namespace skiff::kube
