
#include <doctest/doctest.h>

#include "kube/selector/selector.h"

using namespace skiff;
using namespace skiff::kube;

namespace {
bool selects(std::string_view text, const json::Value& labels) {
  auto selector = LabelSelector::parse(text);
  REQUIRE(selector.has_value());
  return selector->matches(labels);
}
std::string label_error(std::string_view text) {
  auto selector = LabelSelector::parse(text);
  REQUIRE(!selector.has_value());
  return selector.error().message;
}

TEST_CASE("the text of many requirements on one key reads back as itself") {
  std::string text = "z=1";
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? ",a!=b" : ",a=b";
  const auto selector = LabelSelector::parse(text);
  REQUIRE(selector.has_value());
  CHECK(LabelSelector::parse(selector->to_string())->to_string() == selector->to_string());
}

}  // namespace

TEST_CASE("label selectors match as the API documents them") {
  auto labels = json::Value::object({{"app", "web"}, {"n", "5"}});
  CHECK(selects("", labels));
  CHECK(selects("app=web,n", labels));
  CHECK(selects("app==web", labels));
  CHECK(selects("app in (web, api)", labels));
  CHECK(selects("tier notin (a),!tier", labels));
  CHECK(selects("tier!=a", labels));
  CHECK(selects("n>4,n<6", labels));
  CHECK(!selects("app!=web", labels));
  CHECK(!selects("!app", labels));
  CHECK(!selects("n>5", labels));
  CHECK(selects("in", json::Value::object({{"in", ""}})));
}

TEST_CASE("label selector errors use upstream's words") {
  CHECK(label_error("a===b") == "unable to parse requirement: found '=', expected: identifier");
  CHECK(label_error("a in b") == "unable to parse requirement: found 'b' expected: '('");
  CHECK(label_error("a b") ==
        "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
  CHECK(label_error("==") == "found '==', expected: !, identifier, or 'end of string'");
  CHECK(label_error("a,") == "found '', expected: identifier after ','");
  CHECK(
      label_error("a=-b-").starts_with("unable to parse requirement: values[0][a]: Invalid value: \"-b-\": a "
                                       "valid label must be an empty string or"));
}

TEST_CASE("label selectors are written in canonical form") {
  CHECK(LabelSelector::parse("a notin (,)")->to_string() == "a notin (,)");
  CHECK(LabelSelector::parse("b in (y,x),a=1")->to_string() == "a=1,b in (x,y)");
  auto object =
      json::parse(R"({"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"Exists"}]})");
  CHECK(LabelSelector::from_object(*object)->to_string() == "a=b,c");
}

TEST_CASE("a null selector object selects nothing and an empty one everything") {
  auto labels = json::Value::object({{"a", "b"}});
  CHECK(!LabelSelector::from_object(nullptr)->matches(labels));
  CHECK(LabelSelector::from_object(json::Value::object())->matches(labels));
}

TEST_CASE("field selectors look fields up by path") {
  auto pod =
      *json::parse(R"({"metadata":{"name":"p"},"spec":{"nodeName":"n"},"status":{"phase":"Running"}})");
  CHECK(FieldSelector::parse("metadata.name=p,status.phase!=Failed")->matches(pod));
  CHECK(FieldSelector::parse("spec.hostNetwork=false")->matches(pod));
  CHECK(!FieldSelector::parse("spec.nodeName!=n")->matches(pod));
  CHECK(FieldSelector::parse("spec.nodeName=")->matches(json::Value::object()));
  CHECK(FieldSelector::parse("xyz").error().message == "invalid selector: 'xyz'; can't understand 'xyz'");
  CHECK(FieldSelector::parse("a=b\\,c")->requirements().at(0).value == "b,c");
}

TEST_CASE("only documented fields are selectable") {
  CHECK(is_selectable_field("apps", "Deployment", "metadata.name"));
  CHECK(is_selectable_field("", "Event", "involvedObject.uid"));
  CHECK(!is_selectable_field("", "ConfigMap", "data.a"));
}
