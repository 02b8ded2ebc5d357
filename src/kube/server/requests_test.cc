// What requests may ask of every verb: dry runs, preconditions, field validation, forms of bodies and
// answers.
#include <doctest/doctest.h>

#include "kube/server/server_rig.h"

namespace skiff::kube {
namespace {

const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kMap = kMaps + "/cm";
const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";
const std::string kMerge = "application/merge-patch+json";
const std::string kProtobuf = "application/vnd.kubernetes.protobuf";

void make_map(ServerRig& rig, const std::string& name = "cm", const std::string& metadata = "") {
  const std::string body = R"({"metadata":{"name":")" + name + "\"" + metadata + R"(},"data":{"a":"b"}})";
  REQUIRE(rig.ask("POST", kMaps, body).status == 201);
}

void make_deployment(ServerRig& rig) {
  REQUIRE(rig.ask("POST", kDeployments, R"({"metadata":{"name":"web"},"spec":{"replicas":1,
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
    "spec":{"containers":[{"name":"c","image":"x"}]}}}})")
              .status == 201);
}

// Protobuf by hand: a field of bytes, and the envelope of a body.
std::vector<std::string> warnings_of(const TestAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& [name, value] : answer.headers.all()) {
    if (name == "Warning") out.push_back(value);
  }
  return out;
}

std::string field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string envelope(const std::string& api_version, const std::string& kind, const std::string& message) {
  return std::string("k8s\0", 4) + field(1, field(1, api_version) + field(2, kind)) + field(2, message);
}

TEST_CASE("a dry run of any verb changes nothing") {
  ServerRig rig;
  make_map(rig);
  make_deployment(rig);
  const auto before = rig.store->current();
  CHECK(rig.ask("POST", kMaps + "?dryRun=All", R"({"metadata":{"name":"new"}})").status == 201);
  const auto put = rig.ask("PUT", kMap + "?dryRun=All", R"({"metadata":{"name":"cm"},"data":{"a":"c"}})");
  CHECK(put.body["data"]["a"].str() == "c");
  CHECK(rig.ask("PATCH", kMap + "?dryRun=All", R"({"data":{"a":"c"}})", kMerge).status == 200);
  CHECK(rig.ask("PATCH", kDeployments + "/web/scale?dryRun=All", R"({"spec":{"replicas":3}})", kMerge)
            .body["spec"]["replicas"]
            .as_int() == 3);
  CHECK(rig.ask("DELETE", kMap + "?dryRun=All").status == 200);
  CHECK(rig.ask("DELETE", kMap, R"({"dryRun":["All"]})").status == 200);
  CHECK(rig.ask("DELETE", kMaps + "?dryRun=All").body["items"].size() == 1);
  CHECK(rig.store->current() == before);
}

TEST_CASE("a delete whose precondition does not hold deletes nothing") {
  ServerRig rig;
  make_map(rig);
  const std::string uid = rig.ask("GET", kMap).body["metadata"]["uid"].str();
  const auto wrong = rig.ask("DELETE", kMap, R"({"preconditions":{"uid":"other"}})");
  CHECK(wrong.status == 409);
  CHECK(wrong.body["message"].str() ==
        "Operation cannot be fulfilled on ConfigMap \"cm\": the UID in the precondition (other) does not "
        "match the "
        "UID in record (" +
            uid + "). The object might have been deleted and then recreated");
  CHECK(rig.ask("DELETE", kMap, R"({"preconditions":{"resourceVersion":"1"}})").status == 409);
  CHECK(rig.ask("DELETE", kMap, R"({"preconditions":{"uid":")" + uid + "\"}}").status == 200);
}

TEST_CASE("propagation policies leave their finalizers for the collector") {
  ServerRig rig;
  make_map(rig, "fore");
  make_map(rig, "orphan");
  make_map(rig, "back");
  const auto fore = rig.ask("DELETE", kMaps + "/fore", R"({"propagationPolicy":"Foreground"})");
  CHECK(fore.body["metadata"]["finalizers"].at(0).str() == "foregroundDeletion");
  const auto orphan = rig.ask("DELETE", kMaps + "/orphan?propagationPolicy=Orphan");
  CHECK(orphan.body["metadata"]["finalizers"].at(0).str() == "orphan");
  CHECK(rig.ask("DELETE", kMaps + "/back", R"({"propagationPolicy":"Background"})").body["kind"].str() ==
        "Status");
  CHECK(rig.ask("GET", kMaps).body["items"].size() == 2);
}

TEST_CASE("deletecollection deletes what the selector names") {
  ServerRig rig;
  make_map(rig, "a", R"(,"labels":{"app":"web"})");
  make_map(rig, "b", R"(,"labels":{"app":"web"},"finalizers":["e.example.com/f"])");
  make_map(rig, "c");
  const auto deleted = rig.ask("DELETE", kMaps + "?labelSelector=app%3Dweb");
  CHECK(deleted.body["kind"].str() == "ConfigMapList");
  CHECK(deleted.body["items"].size() == 2);
  CHECK(rig.ask("GET", kMaps + "/a").status == 404);
  CHECK_FALSE(rig.ask("GET", kMaps + "/b").body["metadata"]["deletionTimestamp"].is_null());
  CHECK(rig.ask("GET", kMaps + "/c").status == 200);
  CHECK(rig.ask("DELETE", kMaps + "?fieldSelector=metadata.name%3Dc").body["items"].size() == 1);
}

TEST_CASE("unknown and duplicate fields are refused, reported or ignored, as asked") {
  const std::string body =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm","foo":1},"data":{"a":"b","a":"c"},"bar":2})";
  ServerRig rig;
  const auto strict = rig.ask("POST", kMaps + "?fieldValidation=Strict", body);
  CHECK(strict.status == 400);
  CHECK(strict.body["message"].str() ==
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field "
        "\"metadata.foo\", duplicate field \"data.a\", unknown field \"bar\"");
  const auto silent = rig.ask("POST", kMaps + "?dryRun=All&fieldValidation=Ignore", body);
  CHECK(silent.status == 201);
  CHECK_FALSE(silent.headers.find("Warning").has_value());
  const auto warned = rig.ask("POST", kMaps + "?fieldValidation=Warn", body);
  CHECK(warned.status == 201);
  CHECK(warnings_of(warned) == std::vector<std::string>{"299 - \"unknown field \\\"metadata.foo\\\"\"",
                                                        "299 - \"duplicate field \\\"data.a\\\"\"",
                                                        "299 - \"unknown field \\\"bar\\\"\""});
}

TEST_CASE("YAML bodies are validated as JSON ones are, and their duplicates named by line") {
  ServerRig rig;
  const std::string text = "metadata:\n  name: cm\n  foo: 1\ndata:\n  a: b\n  a: c\n  a: d\nbar: 2\n";
  const auto strict = rig.ask("POST", kMaps + "?fieldValidation=Strict", text, "application/yaml");
  CHECK(strict.status == 400);
  CHECK(
      strict.body["message"].str() ==
      "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal "
      "errors:\n  line 6: key \"a\" already set in map\n  line 7: key \"a\" already set in map, unknown "
      "field "
      "\"bar\", unknown field \"metadata.foo\"");
  const auto warned = rig.ask("POST", kMaps, text, "application/yaml");
  CHECK(warned.status == 201);
  CHECK(warned.body["data"]["a"].str() == "d");
  CHECK(warnings_of(warned) == std::vector<std::string>{"299 - \"line 6: key \\\"a\\\" already set in map\"",
                                                        "299 - \"line 7: key \\\"a\\\" already set in map\"",
                                                        "299 - \"unknown field \\\"bar\\\"\"",
                                                        "299 - \"unknown field \\\"metadata.foo\\\"\""});
}

TEST_CASE("a body of 10 MB is too large") {
  ServerRig rig;
  const auto answer = rig.ask("POST", kMaps, R"({"data":{"a":")" + std::string(10 << 20, 'x') + "\"}}");
  CHECK(answer.status == 413);
  CHECK(answer.body["reason"].str() == "RequestEntityTooLarge");
  CHECK(answer.body["message"].str() == "Request entity too large: limit is 3145728");
}

TEST_CASE("a Scale comes as JSON, YAML or protobuf") {
  ServerRig rig;
  make_deployment(rig);
  const std::string scale = kDeployments + "/web/scale";
  const auto replicas = [&] { return rig.ask("GET", scale).body["spec"]["replicas"].as_int(); };
  CHECK(rig.ask("PUT", scale, R"({"metadata":{"name":"web"},"spec":{"replicas":2}})").status == 200);
  CHECK(replicas() == 2);
  CHECK(rig.ask("PUT", scale, "metadata: {name: web}\nspec: {replicas: 3}\n", "application/yaml").status ==
        200);
  CHECK(replicas() == 3);
  const std::string body =
      envelope("autoscaling/v1", "Scale", field(1, field(1, "web")) + field(2, std::string("\x08\x04")));
  CHECK(rig.ask("PUT", scale, body, kProtobuf).status == 200);
  CHECK(replicas() == 4);
  CHECK(rig.ask("PUT", scale, R"({"spec":{"replicas":-1}})").status == 422);
  CHECK(rig.ask("PUT", scale, R"({"metadata":{"resourceVersion":"1"},"spec":{"replicas":1}})").status == 409);
}

TEST_CASE("bindings, evictions and options of a delete come as protobuf too") {
  ServerRig rig;
  const std::string pods = "/api/v1/namespaces/default/pods";
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  rig.ask("POST", pods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"x"}]}})");
  const std::string binding =
      envelope("v1", "Binding", field(1, field(1, "p")) + field(2, field(1, "Node") + field(3, "n1")));
  CHECK(rig.ask("POST", pods + "/p/binding", binding, kProtobuf).status == 201);
  CHECK(rig.ask("GET", pods + "/p").body["spec"]["nodeName"].str() == "n1");
  const std::string eviction =
      envelope("policy/v1", "Eviction", field(1, field(1, "p")) + field(2, std::string("\x08\x05")));
  CHECK(rig.ask("POST", pods + "/p/eviction", eviction, kProtobuf).status == 201);
  CHECK(rig.ask("GET", pods + "/p").body["metadata"]["deletionGracePeriodSeconds"].as_int() == 5);
  const std::string now = envelope("v1", "DeleteOptions", std::string("\x08\x00", 2));
  CHECK(rig.ask("DELETE", pods + "/p", now, kProtobuf).status == 200);
  CHECK(rig.ask("GET", pods + "/p").status == 404);
}

TestAnswer get(ServerRig& rig, const std::string& target, const std::string& accept) {
  net::Request request;
  request.target = target;
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Accept", accept);
  return rig.ask(request, "");
}

TEST_CASE("who accepts protobuf alone gets objects, lists and errors in it") {
  ServerRig rig;
  make_map(rig);
  const auto object = get(rig, kMap, kProtobuf);
  CHECK(object.headers.get("Content-Type") == kProtobuf);
  auto decoded = decode_protobuf(rig.registry, object.text);
  REQUIRE(decoded.has_value());
  CHECK((*decoded)["data"]["a"].str() == "b");
  const auto list = get(rig, kMaps, kProtobuf);
  CHECK(list.text.starts_with(envelope("v1", "ConfigMapList", "").substr(0, 20)));
  auto status = decode_protobuf(rig.registry, get(rig, kMaps + "/none", kProtobuf).text);
  REQUIRE(status.has_value());
  CHECK((*status)["message"].str() == "configmaps \"none\" not found");
  CHECK((*status)["code"].as_int() == 404);
  CHECK(get(rig, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", kProtobuf).status == 200);
}

TEST_CASE("a watch in protobuf is a row of frames") {
  ServerRig rig;
  make_map(rig);
  const auto watch = get(rig, kMaps + "?watch=true&timeoutSeconds=1", kProtobuf + ";stream=watch");
  CHECK(watch.headers.get("Content-Type") == "application/vnd.kubernetes.protobuf;stream=watch");
  REQUIRE(watch.text.size() > 4);
  const size_t length =
      static_cast<size_t>(static_cast<uint8_t>(watch.text[2])) << 8 | static_cast<uint8_t>(watch.text[3]);
  CHECK(watch.text.size() == 4 + length);
  CHECK(watch.text.substr(4, 7) == field(1, "ADDED"));
}

TEST_CASE("answers are JSON or YAML, and 406 for those who take neither") {
  ServerRig rig;
  rig.ask("POST", kMaps, R"({"metadata":{"name":"cm"},"data":{"yes":"1","k":"line\nline"}})");
  const auto yaml = get(rig, kMap, "application/yaml");
  CHECK(yaml.headers.get("Content-Type") == "application/yaml");
  CHECK(yaml.text.starts_with("kind: \"ConfigMap\"\napiVersion: \"v1\"\nmetadata:\n  name: \"cm\"\n"));
  CHECK(yaml.text.ends_with("data:\n  k: \"line\\nline\"\n  \"yes\": \"1\"\n"));
  CHECK(get(rig, kMap, "application/vnd.kubernetes.protobuf,application/json").body.is_object());
  CHECK(get(rig, kMap, "application/vnd.kubernetes.protobuf, */*").body.is_object());
  const auto none = get(rig, kMap, "text/html");
  CHECK(none.status == 406);
  CHECK(none.body["reason"].str() == "NotAcceptable");
  CHECK(get(rig, kMaps, "application/yaml").text.starts_with("kind: \"ConfigMapList\"\n"));
}

TEST_CASE("aggregated discovery has an ETag, and 304 for who knows it") {
  ServerRig rig;
  const std::string accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const auto first = get(rig, "/apis", accept);
  const std::string tag(first.headers.get("ETag"));
  CHECK(first.status == 200);
  CHECK(tag.size() == 130);
  net::Request request;
  request.target = "/apis";
  request.headers.set("Authorization", "Bearer master");
  request.headers.set("Accept", accept);
  request.headers.set("If-None-Match", tag);
  const auto again = rig.ask(request, "");
  CHECK(again.status == 304);
  CHECK(again.text.empty());
}

TEST_CASE("a revision that no store can have reached is no fault of the server") {
  ServerRig rig;
  const std::string maps = "/api/v1/namespaces/default/configmaps";
  REQUIRE(rig.ask("POST", maps, R"({"metadata":{"name":"a"}})").status == 201);
  for (const std::string revision : {"9223372036854775807", "9223372036854775808", "18446744073709551615"}) {
    CAPTURE(revision);
    for (const std::string& path : {maps, maps + "/a"}) {
      const auto answer = rig.ask("GET", path + "?resourceVersion=" + revision);
      CHECK(answer.status == 504);
      CHECK(answer.body["reason"].str() == "Timeout");
    }
    const std::string body =
        R"({"metadata":{"name":"a","resourceVersion":")" + revision + R"("},"data":{"k":"v"}})";
    CHECK(rig.ask("PUT", maps + "/a", body).status == 409);
  }
  for (const std::string& query : {maps + "?", maps + "/a?", maps + "?watch=1&"}) {
    const auto answer = rig.ask("GET", query + "resourceVersion=18446744073709551616");
    CHECK(answer.status == 400);
    CHECK(answer.body["message"].str().ends_with("value out of range"));
  }
}

TEST_CASE("a log of what has none is refused in words that say why") {
  ServerRig rig;
  const std::string pods = "/api/v1/namespaces/default/pods";
  rig.ask("POST", "/api/v1/namespaces/default/serviceaccounts", R"({"metadata":{"name":"default"}})");
  rig.ask(
      "POST", pods,
      R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"x"},{"name":"b","image":"x"}]}})");
  CHECK(rig.ask("GET", pods + "/none/log").status == 404);
  CHECK(rig.ask("GET", pods + "/p/log").body["message"].str() ==
        "a container name must be specified for pod p, choose one of: [a b]");
  CHECK(rig.ask("GET", pods + "/p/log?container=z").body["message"].str() ==
        "container z is not valid for pod p");
  CHECK(rig.ask("GET", pods + "/p/log?container=a").status == 204);
  rig.ask("POST", pods + "/p/binding", R"({"metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}})");
  CHECK(rig.ask("GET", pods + "/p/log?container=a").status == 503);
  CHECK(rig.ask("GET", pods + "/p/log?container=a&limitBytes=0").body["message"].str() ==
        "PodLogOptions \"p\" is invalid: limitBytes: Invalid value: 0: must be greater than 0");
}

}  // namespace
}  // namespace skiff::kube
