// What callers send, in shapes made to be expensive: a byte of a large one costs as much as of a small one.
#include "testing/check_growth.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "kube/print/json_path.h"
#include "kube/schema/protobuf.h"
#include "kube/schema/quantity.h"
#include "kube/selector/selector.h"

using namespace skiff;
using namespace skiff::kube;
using json::Value;
using testing::check_growth;
using testing::Shape;

namespace {

// Everything that a body passes on its way to the store and back out.
void take_in(const Registry& registry, const Kind& kind, const std::string& body) {
  const auto decoded = decode(registry, kind, MediaType::kJson, body);
  if (!decoded) return;
  Value object = decoded->object;
  apply_defaults(kind, object);
  const auto errors = validate(kind, object, nullptr);
  static_cast<void>(validate(kind, object, &decoded->object));
  if (auto bytes = encode_protobuf(registry, object)) static_cast<void>(decode_protobuf(registry, *bytes));
}

// An object with one long list or map at `where`, as a shape: "{"spec":{"containers":[" ...
struct Place {
  const Kind* kind;
  std::string head, unit, tail;
};

std::string item_of(const Field& field) {
  switch (field.scalar) {
    case Scalar::kObject: {
      std::string out = "{";
      for (const char* name : {"name", "key", "ip", "path", "type", "kind", "topologyKey", "value"}) {
        const Field* member = field.type->find(name);
        if (member == nullptr || member->shape != FieldShape::kSingle || member->scalar != Scalar::kString)
          continue;
        out += std::string(out.size() > 1 ? "," : "") + "\"" + name + "\":\"n#\"";
      }
      return out + "}";
    }
    case Scalar::kBool:
      return "true";
    case Scalar::kInteger:
    case Scalar::kNumber:
      return "#";
    case Scalar::kQuantity:
      return "\"1\"";
    case Scalar::kTime:
    case Scalar::kMicroTime:
      return "null";
    default:
      return "\"v#\"";
  }
}

void collect(const Kind& kind, const Type& type, const std::string& head, const std::string& tail, int depth,
             std::set<const Field*>& seen, std::vector<Place>& out) {
  for (const Field& field : type.fields) {
    if (field.inlined) {
      collect(kind, *field.type, head, tail, depth, seen, out);
      continue;
    }
    const bool list = field.shape == FieldShape::kList, single = field.shape == FieldShape::kSingle;
    if (depth > 8 || (!single && !seen.insert(&field).second)) continue;
    const std::string open = head + "\"" + field.name + "\":";
    if (list) out.push_back({&kind, open + "[", item_of(field) + ",", item_of(field) + "]" + tail});
    if (field.shape == FieldShape::kMap)
      out.push_back(
          {&kind, open + "{", "\"k#\":" + item_of(field) + ",", "\"z\":" + item_of(field) + "}" + tail});
    if (field.scalar != Scalar::kObject || (single && !seen.insert(&field).second)) continue;
    const std::string inner = list ? "[{" : single ? "{" : "{\"k\":{";
    collect(kind, *field.type, open + inner,
            (list     ? "}]"
             : single ? "}"
                      : "}}") +
                tail,
            depth + 1, seen, out);
  }
}

std::shared_ptr<Kind> custom_kind(const std::string& schema) {
  auto kind = std::make_shared<Kind>();
  kind->group = "x.io";
  kind->version = "v1";
  kind->kind = "Thing";
  kind->plural = "things";
  kind->custom = true;
  kind->custom_schema = *json::parse(schema);
  return kind;
}

constexpr const char* kHead = R"({"apiVersion":"x.io/v1","kind":"Thing","metadata":{"name":"a"},)";

}  // namespace

TEST_CASE("long lists and maps of every built-in kind are read, checked and encoded in linear time") {
  const Registry registry;
  std::vector<Place> places;
  std::vector<KindPtr> kinds = registry.all();
  for (const KindPtr& kind : kinds) {
    std::set<const Field*> seen;
    static std::set<const Field*> everywhere;
    if (kind->type)
      collect(*kind, *kind->type, "{\"metadata\":{\"name\":\"a\"},", "}", 0, kind->listed ? everywhere : seen,
              places);
  }
  CHECK(places.size() > 200);
  for (const Place& place : places) {
    CAPTURE(place.kind->kind);
    const auto work = [&](const std::string& body) { take_in(registry, *place.kind, body); };
    check_growth({place.head, place.unit, place.tail}, work, 10'000, 300'000);
  }
}

TEST_CASE("custom objects are pruned, given defaults and checked in linear time") {
  const Registry registry;
  const std::string head = kHead, long_key = head + "\"m\":{\"" + std::string(15'000, 'k') + "\":{";
  const auto kind = custom_kind(R"({"type":"object","properties":{
    "l":{"type":"array","items":{"type":"object","properties":{"d":{"type":"string","default":"x"}}}},
    "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string","pattern":"^([a-z0-9]+)+$"}},
    "map":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
           "items":{"type":"object","properties":{"name":{"type":"string"}}}},
    "p":{"type":"string","pattern":"^([A-Za-z0-9]+([._-][A-Za-z0-9]+)*/?)+$"},
    "m":{"type":"object","additionalProperties":{"type":"object","additionalProperties":{"type":"integer"}}},
    "n":{"type":"object","additionalProperties":{"type":"object","properties":{"a":{"type":"integer"}}}}}})");
  const Shape shapes[] = {
      {head, "\"k#\":1,", "\"z\":1}"},
      {head + "\"l\":[", "{},", "{}]}"},
      {head + "\"l\":[", "{\"d#\":1},", "{}]}"},
      {head + "\"l\":[", "1,", "1]}"},
      {head + "\"set\":[", "\"a#\",", "\"b\"]}"},
      {head + "\"set\":[", "\"a\",", "\"b\"]}"},
      {head + "\"map\":[", "{\"name\":\"a#\"},", "{}]}"},
      {head + "\"p\":\"", "a", "!\"}"},
      {head + "\"p\":\"", "a/", "\"}"},
      {head + "\"m\":{\"k\":{", "\"k#\":1,", "\"z\":1}}}"},
      {long_key, "\"k#\":1,", "\"z\":1}}}"},
      {long_key, "\"k#\":\"x\",", "\"z\":1}}}"},
      {head + "\"n\":{\"" + std::string(15'000, 'k') + "\":{", "\"k#\":1,", "\"z\":1}}}"},
  };
  for (const Shape& shape : shapes)
    check_growth(shape, [&](const std::string& body) { take_in(registry, *kind, body); });
}

TEST_CASE("a schema of many parts is applied to an object of many members in bounded time") {
  const Registry registry;
  const auto with_schema = [&](const std::string& text) {
    const auto object = testing::Shape{kHead, "\"k#\":1,", "\"z\":1}"}.make(text.size());
    take_in(registry, *custom_kind(text), object);
  };
  const Shape schemas[] = {
      {R"({"type":"object","properties":{)", R"("k#":{"type":"integer"},)", R"("z":{}}})"},
      {R"({"type":"object","properties":{)", R"("d#":{"default":1},)", R"("z":{}}})"},
      {R"({"type":"object","required":[)", R"("k#",)", R"("z"]})"},
      {R"({"type":"object","additionalProperties":{"enum":[)", R"("k#",)", R"(2]}})"},
      {R"({"type":"object","additionalProperties":{"anyOf":[)", R"({"type":"string"},)", R"({}]}})"},
      {R"({"type":"object","additionalProperties":{"allOf":[)", R"({"not":{"type":"string"}},)", R"({}]}})"},
      {R"({"type":"object","x-kubernetes-validations":[)", R"({"rule":"self == oldSelf"},)", R"({}]})"},
  };
  for (const Shape& shape : schemas) check_growth(shape, with_schema, 10'000, 300'000);
}

TEST_CASE("selectors, quantities and printer paths are read in linear time") {
  const auto labels = [](const std::string& text) {
    const auto selector = LabelSelector::parse(text);
    if (selector) static_cast<void>(selector->to_string());
  };
  for (const Shape& shape :
       {Shape{"", "a#=b,", "z"}, Shape{"", "a=b,", "z"}, Shape{"a in (", "b#,", "z)"},
        Shape{"a in (", ",", ")"}, Shape{"", "!", "a"}, Shape{"", "(", ""}, Shape{"", "=", ""},
        Shape{"", "a", ""}, Shape{"", " ", "a"}, Shape{"a/", "b.", "c"}})
    check_growth(shape, labels);
  const auto fields = [](const std::string& text) {
    if (const auto selector = FieldSelector::parse(text))
      static_cast<void>(selector->matches(Value::object()));
  };
  for (const Shape& shape : {Shape{"", "a#=b,", "z=1"}, Shape{"", "a.", "b=1"}, Shape{"", "\\,", "=1"},
                             Shape{"a=", "\\\\", ""}, Shape{"", ",", ""}, Shape{"", "a", ""}})
    check_growth(shape, fields);
  const auto quantity = [](const std::string& text) {
    if (const auto given = parse_quantity(text)) static_cast<void>(format_quantity(*given));
  };
  for (const Shape& shape : {Shape{"", "1", ""}, Shape{"0.", "1", ""}, Shape{"1e", "1", ""},
                             Shape{"", "0", "1"}, Shape{"1", "k", ""}, Shape{"", ".", "1"}})
    check_growth(shape, quantity);
  const auto path = [](const std::string& text) {
    const Value object = Value::object({{"a", Value::array({Value::object({{"b", 1}})})}});
    static_cast<void>(find_by_path(object, text));
  };
  for (const Shape& shape :
       {Shape{"", ".", "a"}, Shape{"", ".a", ""}, Shape{".a", "[0]", ""}, Shape{".a", "[", ""},
        Shape{".a[?(@.b==\"", "x", "\")]"}, Shape{"{", "\\.", "}"}})
    check_growth(shape, path);
}
