#include <doctest/doctest.h>

#include "base/strings.h"

#include "base/yaml.h"

using namespace skiff;

namespace {
std::string json_of(std::string_view text) {
  auto value = yaml::parse(text);
  return value ? json::encode(*value) : value.error().message;
}
}  // namespace

TEST_CASE("YAML documents mean the JSON that Kubernetes reads") {
  CHECK(json_of("a: b\nc: [1, 2.5, true]\nd: {e: ~}\n") == R"({"a":"b","c":[1,2.5,true],"d":{"e":null}})");
  CHECK(json_of("a: yes\nb: 'yes'\nc: off\nd: y\n") == R"({"a":true,"b":"yes","c":false,"d":"y"})");
  CHECK(json_of("m: 0644\nx: 0x1F\no: 0o17\nb: 0b11\nu: 1_000\n") ==
        R"({"m":420,"x":31,"o":15,"b":3,"u":1000})");
  CHECK(json_of("v: 1.2.3\nt: 2001-01-01\nq: 100m\nd: '5'\n") ==
        R"({"v":"1.2.3","t":"2001-01-01","q":"100m","d":"5"})");
  CHECK(json_of("1: a\ntrue: b\n") == R"({"1":"a","true":"b"})");
  CHECK(json_of("t: |\n  x\n  y\n") == R"({"t":"x\ny\n"})");
  CHECK(json_of(R"({"json": "too"})") == R"({"json":"too"})");
  CHECK(json_of("") == "null");
}

TEST_CASE("anchors, aliases and merge keys are expanded") {
  CHECK(json_of("a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n") ==
        R"({"a":{"k":1,"l":2},"b":{"k":1,"l":2},"c":{"k":3,"l":2}})");
}

TEST_CASE("a number beyond what JSON can carry is a text") {
  CHECK(json_of("[9e99999, -9e99999, 9e9]") == R"(["9e99999","-9e99999",9000000000])");
}

TEST_CASE("aliases that multiply without bound are refused") {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    std::string list;
    for (int k = 0; k < 10; ++k) list += (k ? ",*a" : "*a") + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + list + "]\n";
  }
  CHECK(json_of(text) == "yaml: document contains excessive aliasing");
  CHECK(json_of("a: &a [*a]\n").starts_with("yaml: "));
}

TEST_CASE("duplicate keys are reported as go-yaml does and the last one wins") {
  const auto found = [](const std::string& text) {
    std::vector<std::string> duplicates;
    const auto value = yaml::parse(text, {.duplicate_keys = &duplicates});
    return value ? join(duplicates, "|") : value.error().message;
  };
  CHECK((*yaml::parse("data:\n  a: b\n  a: c\n"))["data"]["a"].str() == "c");
  CHECK(found("data:\n  a: b\n  a: c\n") == R"(line 3: key "a" already set in map)");
  CHECK(found("a: 1\nb: 2\n\na:\n  - x\nb: 2\n") ==
        R"(line 5: key "a" already set in map|line 6: key "b" already set in map)");
  // The line is that of the value, and what is inside it comes first.
  CHECK(found("a: 1\na:\n  b: 1\n  c: 2\n  b: 3\n") ==
        R"(line 5: key "b" already set in map|line 3: key "a" already set in map)");
  CHECK(found("{a: 1, a: 2}") == R"(line 1: key "a" already set in map)");
  CHECK(found("9: a\n9: b\ntrue: a\nyes: b\n1.5: a\n1.5: b\n") ==
        "line 2: key 9 already set in map|line 4: key true already set in map|"
        "line 6: key 1.5 already set in map");
  CHECK(found("x: &x {k: 1}\na: *x\na: *x\n") == R"(line 3: key "a" already set in map)");
  CHECK(found("x: &x {k: 1}\na:\n  <<: *x\n  k: 2\n") == R"(line 4: key "k" already set in map)");
  CHECK(found("a: &a 1\n\"\\\"q\": 1\n'\"q': 2\n") == R"(line 3: key "\"q" already set in map)");
}

TEST_CASE("no more duplicate keys are reported than of JSON") {
  std::string text;
  for (size_t i = 0; i < 2 * json::kMaxDuplicateKeys; ++i) text += "a: 1\n";
  std::vector<std::string> duplicates;
  REQUIRE(yaml::parse(text, {.duplicate_keys = &duplicates}));
  CHECK(duplicates.size() == json::kMaxDuplicateKeys);
}

TEST_CASE("malformed documents name the line") {
  CHECK(json_of("a: [") == "yaml: line 1: did not find expected node content");
  CHECK(json_of("a: .inf").starts_with("yaml: .inf has no JSON form"));
  CHECK(json_of(std::string(2000, '[')).starts_with("yaml: "));
}

TEST_CASE("a stream gives its documents without the empty ones") {
  auto all = yaml::parse_all("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n");
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 2);
  CHECK((*all)[1]["b"].as_int() == 2);
}
