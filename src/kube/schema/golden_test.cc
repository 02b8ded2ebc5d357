// Replays what a real API server answered (testdata/README.md).
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "kube/schema/protobuf.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

using json::Value;

Value load(const std::string& name) {
  std::ifstream file(std::string(SKIFF_SOURCE_DIR) + "/src/kube/schema/testdata/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = json::parse(text.str());
  REQUIRE(parsed.has_value());
  return *parsed;
}

KindPtr kind_of(const Registry& registry, const Value& object) {
  auto halves = split_once(object["apiVersion"].str(), "/");
  auto group = halves.found ? halves.before : std::string_view();
  auto version = halves.found ? halves.after : halves.before;
  return registry.find_kind(group, version, object["kind"].str());
}

// What admission and creation add, which the recorded objects do not tell apart from defaults.
void remove_server_set(Value& object) {
  auto& metadata = object.edit("metadata");
  metadata.erase("creationTimestamp");
  if (object["kind"].str() == "Namespace") object.erase("spec");
  if (object["kind"].str() == "Node") object.edit("spec").erase("taints");
}

}  // namespace

TEST_CASE("defaults are those of a real server") {
  Registry registry;
  auto cases = load("defaults.json");
  for (const auto& row : cases.items()) {
    CAPTURE(row["case"].str());
    auto kind = kind_of(registry, row["input"]);
    REQUIRE(kind);
    auto decoded = decode(registry, *kind, MediaType::kJson, json::encode(row["input"]));
    REQUIRE(decoded.has_value());
    CHECK(decoded->strict_findings.empty());
    auto object = decoded->object;
    apply_defaults(*kind, object);
    auto once = object;
    apply_defaults(*kind, object);
    CHECK(once == object);
    auto stored = row["stored"];
    remove_server_set(stored);
    remove_server_set(object);
    CHECK_MESSAGE(object == stored, json::encode(object) << "\n want " << json::encode(stored));
  }
}

TEST_CASE("protobuf bodies mean the same as JSON bodies") {
  Registry registry;
  auto cases = load("protobuf.json");
  for (const auto& row : cases.items()) {
    CAPTURE(row["case"].str());
    auto kind = kind_of(registry, row["json"]);
    REQUIRE(kind);
    auto body = base64_decode(row["protobuf"].str());
    REQUIRE(body);
    auto decoded = decode(registry, *kind, MediaType::kProtobuf, *body);
    REQUIRE(decoded.has_value());
    CHECK_MESSAGE(decoded->object == row["json"], json::encode(decoded->object)
                                                      << "\n want " << json::encode(row["json"]));
  }
}

TEST_CASE("an object written as protobuf is read as it was") {
  Registry registry;
  auto cases = load("protobuf.json");
  for (const auto& row : cases.items()) {
    CAPTURE(row["case"].str());
    auto kind = kind_of(registry, row["json"]);
    REQUIRE(kind);
    auto body = encode_protobuf(registry, row["json"]);
    CHECK(body.has_value() == has_protobuf(*kind));
    if (!body) continue;
    auto decoded = decode(registry, *kind, MediaType::kProtobuf, *body);
    REQUIRE(decoded.has_value());
    CHECK_MESSAGE(decoded->object == row["json"], json::encode(decoded->object)
                                                      << "\n want " << json::encode(row["json"]));
  }
}

TEST_CASE("bodies are refused in the words of a real server") {
  Registry registry;
  auto cases = load("errors.json");
  for (const auto& row : cases.items()) {
    CAPTURE(row["case"].str());
    auto kind = registry.find(row["group"].str(), row["version"].str(), row["resource"].str());
    REQUIRE(kind);
    auto decoded = decode(registry, *kind, MediaType::kJson, row["body"].str());
    if (row["code"].as_int() == 400) {
      if (row["strict"].is_array()) {
        REQUIRE(decoded.has_value());
        CHECK(join(decoded->strict_findings, ", ") == row["strict"].at(0).str());
        continue;
      }
      REQUIRE_FALSE(decoded.has_value());
      CHECK(decoded.error().message == row["message"].str());
      continue;
    }
    REQUIRE(decoded.has_value());
    auto object = decoded->object;
    apply_defaults(*kind, object);
    auto errors = validate(*kind, object, nullptr);
    std::string got;
    std::string want;
    for (const auto& error : errors) got += error.field + ": " + error.message + " [" + error.reason + "]\n";
    for (const auto& cause : row["causes"].items()) {
      want += cause["field"].str() + ": " + cause["message"].str() + " [" + cause["reason"].str() + "]\n";
    }
    CHECK(got == want);
  }
}

}  // namespace skiff::kube
