#include "testing/check_growth.h"

#include <doctest/doctest.h>

#include "base/strings.h"
#include "base/yaml.h"

using namespace skiff;
using testing::Shape;

namespace {

const std::string kLongKey = "{\"" + std::string(15'000, 'k') + "\":{";

const Shape kJsonShapes[] = {
    {"", "[", ""},
    {"", "{\"a\":", ""},
    {"[", "1,", "1]"},
    {"[", "[],", "1]"},
    {"[", "{},", "1]"},
    {"{", "\"k#\":1,", "\"z\":1}"},
    {"{", "\"k\":1,", "\"z\":1}"},
    {kLongKey, "\"k#\":1,", "\"z\":1}}"},
    {kLongKey, "\"k\":1,", "\"z\":1}}"},
    {"\"", "a", "\""},
    {"\"", "\\u0041", "\""},
    {"\"", "\\ud800", "\""},
    {"\"", "\xff", "\""},
    {"", "1", ""},
    {"0.", "1", ""},
    {"1e", "1", ""},
    {"", " ", "1"},
};

const Shape kYamlShapes[] = {
    {"", "[", ""},
    {"", "{", ""},
    {"", "{a: ", ""},
    {"", "[{", ""},
    {"", "- ", ""},
    {"", "? ", ""},
    {"", "[? ", ""},
    {"", ": ", ""},
    {"", "a: [", ""},
    {"[", "a, ", "a]"},
    {"[", "a: b, ", "a]"},
    {"[", "[], ", "a]"},
    {"[", "[[[[[[[[]]]]]]]], ", "a]"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "a,", "a"},
    {"[", "\"a\" : 1,", "1]"},
    {"[", "? a : b, ", "a]"},
    {"{", "a#: 1, ", "b: 1}"},
    {"{", "a: 1, ", "b: 1}"},
    {"", "a#: 1\n", ""},
    {"", "a: 1\n", ""},
    {"", "a#:\n  b: 1\n", ""},
    {"", "- a#\n", ""},
    {"", "a\n", ""},
    {"", "a ", ""},
    {"", "a", ": 1"},
    {"a: \"", "x\n\n", "\""},
    {"a: '", "x\n", "'"},
    {"a: \"", "\\x41", "\""},
    {"a: |\n", "  line\n", ""},
    {"a: >\n", "  line\n\n", ""},
    {"a: |\n", "\n", "  x"},
    {"", "#comment\n", "a: 1"},
    {"", "\n", "a: 1"},
    {"", "\xc2\x85", "a: 1"},
    {"", "---\n", ""},
    {"", "--- a\n", ""},
    {"", "...\n", ""},
    {"", "%TAG !a#! tag:x\n", "--- a"},
    {"", "%A# x\n", "--- a"},
    {"[", "&a# x, ", "1]"},
    {"[", "&a x, ", "1]"},
    {"[&a x, ", "*a, ", "1]"},
    {"[&a [x, x, x, x, x, x], ", "*a, ", "1]"},
    {"a: &a {b: 1, c: 2}\nl:\n", "- {<<: *a, d: 1}\n", ""},
    {"a: &a {b: 1}\nl:\n  <<: [", "*a,", "*a]\n"},
    {"", "{<<: ", ""},
    {"[", "!!str a, ", "1]"},
    {"[", "!<tag:x> a, ", "1]"},
    {"!<", "%41", "> a"},
    {"", "!a", ""},
    {"", "&a", ""},
    {"a: ", "1_", "1"},
    {"a: ", "1", ""},
    {"a: 0.", "1", ""},
    {"a: !!binary ", "AAAA", ""},
    {"[", "0x1_1, ", "1]"},
    {"", "\t", "a"},
    {"", "a:\t", "1"},
};

}  // namespace

TEST_CASE("a byte of JSON costs as much in a large text as in a small one") {
  const auto work = [](const std::string& text) {
    std::vector<std::string> duplicates;
    const auto value = json::parse(text, {.duplicate_keys = &duplicates});
    if (value) static_cast<void>(json::encode(*value));
  };
  for (const Shape& shape : kJsonShapes) testing::check_growth(shape, work);
}

TEST_CASE("a byte of YAML costs as much in a large text as in a small one") {
  const auto work = [](const std::string& text) {
    std::vector<std::string> duplicates;
    const auto values = yaml::parse_all(text, {.duplicate_keys = &duplicates});
    if (!values) return;
    for (const auto& value : *values) static_cast<void>(json::encode(value));
  };
  for (const Shape& shape : kYamlShapes) testing::check_growth(shape, work);
}

TEST_CASE("replacing in a text is linear in its length") {
  const auto work = [](const std::string& text) { static_cast<void>(replace_all(text, "_", "")); };
  testing::check_growth({"", "_", ""}, work, testing::kSmallInput, testing::kLargestInput);
}

TEST_CASE("members of a large object are found, set and removed") {
  json::Value object;
  for (int i = 0; i < 1000; ++i) object.set("k" + std::to_string(i), i);
  json::Value copy = object;
  CHECK(copy.erase("k500"));
  CHECK_FALSE(copy.erase("k500"));
  copy.set("k999", "last");
  copy.set("fresh", 1);
  CHECK_FALSE(copy.contains("k500"));
  CHECK(copy["k501"].as_int() == 501);
  CHECK(copy["k999"].str() == "last");
  CHECK(copy.size() == 1000);
  CHECK(object["k500"].as_int() == 500);
  object.edit_members().emplace_back("raw", 1);
  CHECK(object["raw"].as_int() == 1);
  object.set("after", 2);
  CHECK(object["raw"].as_int() == 1);
  CHECK(object["after"].as_int() == 2);
}

TEST_CASE("what aliases add is bounded in bytes and in depth") {
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nl:\n";
  for (int i = 0; i < 100; ++i) text += "- *a\n";
  CHECK(yaml::parse(text).error().message == "yaml: document contains excessive aliasing");
  std::string deep = "a0: &a0 []\n";
  for (int i = 1; i < 300; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(yaml::parse(deep).error().message == "yaml: nested deeper than 256 levels");
}
