#include "base/json.h"

#include <doctest/doctest.h>

using namespace skiff;

TEST_CASE("what is parsed is encoded the same") {
  for (const char* text : {"null", "true", "[]", "{}", "-12", "18446744073709551615", "1.5",
                           "\"a\\n\\\"\\u0001\"", "{\"b\":[1,{\"a\":null}],\"a\":\"\xc3\xa9\"}"}) {
    auto value = json::parse(text);
    REQUIRE(value.has_value());
    CHECK(json::encode(*value) == text);
  }
}

TEST_CASE("malformed text is refused in the words of Go") {
  CHECK(json::parse("{bad").error().message ==
        "invalid character 'b' looking for beginning of object key string");
  CHECK(json::parse("").error().message == "unexpected end of JSON input");
  CHECK(json::parse("[1,]").error().message == "invalid character ']' looking for beginning of value");
  CHECK_FALSE(json::parse("01").has_value());
  CHECK_FALSE(json::parse("\"\x01\"").has_value());
}

TEST_CASE("nesting is bounded") {
  const std::string deep(300, '[');
  CHECK(json::parse(deep).error().message.find("nested deeper than 256") != std::string::npos);
}

TEST_CASE("duplicate keys are reported with their paths, the last one wins") {
  std::vector<std::string> duplicates;
  json::ParseOptions options;
  options.duplicate_keys = &duplicates;
  auto value = json::parse(R"({"a":1,"a":2,"b":[{"c":1,"c":2}]})", options);
  REQUIRE(value.has_value());
  CHECK((*value)["a"].as_int() == 2);
  CHECK(duplicates == std::vector<std::string>{"a", "b[0].c"});
}

TEST_CASE("a copy does not change when the other is written") {
  json::Value first = json::Value::object({{"a", json::Value::array({1, 2})}});
  json::Value second = first;
  second.edit("a").push_back(3);
  CHECK(first["a"].size() == 2);
  CHECK(second["a"].size() == 3);
}

TEST_CASE("a missing member is null all the way down") {
  const json::Value value = json::Value::object();
  CHECK(value["spec"]["template"]["x"].is_null());
  CHECK(value["spec"]["replicas"].as_int(1) == 1);
}

TEST_CASE("the order of members does not matter for equality") {
  CHECK(*json::parse(R"({"a":1,"b":2})") == *json::parse(R"({"b":2,"a":1.0})"));
  CHECK_FALSE(*json::parse(R"({"a":1})") == *json::parse(R"({"a":"1"})"));
}
