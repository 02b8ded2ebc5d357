#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "kube/patch/patch.h"

using namespace skiff;
using namespace skiff::kube;

namespace {

json::Value read_json(const std::string& path) {
  std::ifstream file(std::string(SKIFF_SOURCE_DIR) + "/src/kube/patch/testdata/" + path);
  std::stringstream text;
  text << file.rdbuf();
  auto value = json::parse(text.str());
  REQUIRE(value.has_value());
  return *value;
}

// Recorded results went through defaulting, a new generation, and dropping of empty fields; the patch did
// not.
constexpr std::array<std::string_view, 18> kMadeByServer = {"protocol",
                                                            "defaultMode",
                                                            "targetPort",
                                                            "generation",
                                                            "strategy",
                                                            "externalTrafficPolicy",
                                                            "terminationMessagePath",
                                                            "terminationMessagePolicy",
                                                            "imagePullPolicy",
                                                            "resources",
                                                            "nodePort",
                                                            "rollingUpdate",
                                                            "name",
                                                            "replicas",
                                                            "apiVersion",
                                                            "kind",
                                                            "metadata",
                                                            "status"};

std::string difference(const json::Value& ours, const json::Value& theirs, const std::string& path) {
  if (ours.is_array() && theirs.is_array()) {
    if (ours.size() != theirs.size()) return path + ": other length";
    for (size_t i = 0; i < ours.size(); ++i) {
      auto found = difference(ours.at(i), theirs.at(i), path + "[" + std::to_string(i) + "]");
      if (!found.empty()) return found;
    }
    return "";
  }
  if (!ours.is_object() || !theirs.is_object()) {
    bool dropped = ours.empty() && theirs.empty();
    return ours == theirs || dropped ? "" : path + ": " + json::encode(ours) + " for " + json::encode(theirs);
  }
  for (const auto& [key, value] : ours.members()) {
    if (key == "generation" || key == "$patch") continue;
    auto found = difference(value, theirs[key], path + "." + key);
    if (!found.empty()) return found;
  }
  for (const auto& [key, value] : theirs.members()) {
    if (ours.contains(key) || std::ranges::find(kMadeByServer, key) != kMadeByServer.end()) continue;
    return path + "." + key + ": missing";
  }
  return "";
}

Result<json::Value> run(const Registry& registry, const json::Value& object, const json::Value& one) {
  const std::string& type = one["contentType"].str();
  if (type == "application/json-patch+json") return apply_json_patch(object, one["patch"]);
  if (type == "application/merge-patch+json") return apply_merge_patch(object, one["patch"]);
  auto [before, after, found] = split_once(object["apiVersion"].str(), "/");
  auto kind = registry.find_kind(found ? before : "", found ? after : before, object["kind"].str());
  REQUIRE(kind);
  return apply_strategic_merge_patch(*kind->type, object, one["patch"]);
}

Code expected_code(const json::Value& one) {
  int64_t status = one["code"].as_int();
  return status == 422 ? Code::kNotFound : status == 400 ? Code::kInvalidArgument : Code::kInternal;
}

// Decided beyond the patch: what the server keeps, checks or drops around it.
constexpr std::array<std::string_view, 10> kBeyondThePatch = {
    "whole object replace directive",
    "node status via main resource is ignored",
    "service type to ExternalName",
    "merge: default comes back",
    "merge: status through main resource is ignored",
    "merge: replicas null",
    "merge: metadata.resourceVersion null",
    "merge: immutable metadata ignored",
    "json: path without slash",
    "json: replace root"};

}  // namespace

TEST_CASE("patches give what a real API server recorded") {
  Registry registry;
  auto golden = read_json("patches.json");
  for (const auto& one : golden["cases"].items()) {
    const std::string& name = one["case"].str();
    if (std::ranges::find(kBeyondThePatch, name) != kBeyondThePatch.end()) continue;
    CAPTURE(name);
    auto result = run(registry, golden["objects"][one["object"].str()], one);
    if (one["code"].as_int() != 200) {
      REQUIRE(!result.has_value());
      CHECK(result.error().code == expected_code(one));
      if (one["code"].as_int() != 422) CHECK(result.error().message == one["message"].str());
      continue;
    }
    REQUIRE_MESSAGE(result.has_value(), result.error().message);
    CHECK(difference(*result, one["result"], "") == "");
  }
}

TEST_CASE("a JSON patch is bounded in operations and in what it copies") {
  auto object = json::Value::object({{"a", std::string(1000, 'x')}});
  json::Value patch = json::Value::array();
  auto copy = *json::parse(R"({"op":"copy","from":"","path":"/b"})");
  for (int i = 0; i < 100; ++i) patch.push_back(copy);
  CHECK(apply_json_patch(object, patch).error().code == Code::kResourceExhausted);
  json::Value many = json::Value::array();
  for (size_t i = 0; i <= kMaxJsonPatchOperations; ++i) many.push_back(json::Value::object({{"op", "test"}}));
  CHECK(apply_json_patch(object, many).error().code == Code::kResourceExhausted);
  CHECK(apply_json_patch(object, json::Value::object()).error().code == Code::kInvalidArgument);
}

TEST_CASE("malformed strategic merge directives are refused, not obeyed") {
  Registry registry;
  auto kind = registry.find("", "v1", "pods");
  REQUIRE(kind);
  auto object = *json::parse(R"({"spec":{"containers":[{"name":"a","image":"i"}]}})");
  for (const char* text :
       {R"({"spec":{"containers":[{"$patch":"delete"}]}})", R"({"spec":{"$retainKeys":"x"}})",
        R"({"spec":{"$setElementOrder/containers":1}})", "[]", "1"}) {
    CAPTURE(text);
    auto result = apply_strategic_merge_patch(*kind->type, object, *json::parse(text));
    REQUIRE(!result.has_value());
    CHECK(result.error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("unknown directives and elements without their merge key are shown as Go prints them") {
  Registry registry;
  auto kind = registry.find("", "v1", "pods");
  auto object = *json::parse(R"({"spec":{"containers":[{"name":"a","image":"i"}]}})");
  const std::pair<const char*, const char*> cases[] = {
      {R"({"spec":{"$patch":"nope"}})", "unknown patch type: nope in map: map[$patch:nope]"},
      {R"({"spec":{"containers":[{"image":"x"}]}})",
       "map: map[image:x] does not contain declared merge key: name"},
      {R"({"spec":{"containers":["text"]}})", "map: text does not contain declared merge key: name"}};
  for (const auto& [text, words] : cases) {
    auto result = apply_strategic_merge_patch(*kind->type, object, *json::parse(text));
    REQUIRE(!result.has_value());
    CHECK(result.error().code == Code::kInternal);
    CHECK(result.error().message == words);
  }
}

TEST_CASE("long lists merge in time that grows with their length") {
  Registry registry;
  auto kind = registry.find("", "v1", "configmaps");
  REQUIRE(kind);
  constexpr int kElements = 50'000;
  json::Value list = json::Value::array();
  for (int i = 0; i < kElements; ++i) list.push_back("f/" + std::to_string(i));
  auto patch = json::Value::object({{"metadata", json::Value::object({{"finalizers", list}})}});
  auto once = apply_strategic_merge_patch(*kind->type, json::Value::object(), patch);
  REQUIRE(once.has_value());
  auto twice = apply_strategic_merge_patch(*kind->type, *once, patch);
  REQUIRE(twice.has_value());
  CHECK((*twice)["metadata"]["finalizers"].size() == kElements);
}
