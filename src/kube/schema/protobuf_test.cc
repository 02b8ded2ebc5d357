// Every kind through protobuf and back: what is written is read as it was.
#include "kube/schema/protobuf.h"

#include <doctest/doctest.h>

namespace skiff::kube {
namespace {

using json::Value;

// A value for every field, down to a few levels: types that hold themselves end there.
Value filled(const Type& type, int depth);

Value one_of(const Field& field, int depth) {
  switch (field.scalar) {
    case Scalar::kObject:
      return filled(*field.type, depth + 1);
    case Scalar::kString:
      return field.name + " \xc3\xa9";
    case Scalar::kBool:
      return true;
    case Scalar::kInteger:
      return field.format == "int64" ? Value(-5'000'000'000) : Value(-7);
    case Scalar::kNumber:
      return 1.5;
    case Scalar::kBytes:
      return "AAH/";
    case Scalar::kAny:
      if (field.format == "schema-or-strings") return Value::array({"a", "b"});
      if (field.type != nullptr) return filled(*field.type, depth + 1);
      return *json::parse(R"({"a":[1,null,"x"]})");
    case Scalar::kIntOrString:
      return "80%";
    case Scalar::kQuantity:
      return "1500m";
    case Scalar::kTime:
      return "0001-02-03T04:05:06Z";
    case Scalar::kMicroTime:
      return "0001-01-01T00:00:00.000001Z";
    case Scalar::kDuration:
      return Value();
  }
  return Value();
}

Value filled(const Type& type, int depth) {
  Value out = Value::object();
  for (const Field& field : type.fields) {
    if (field.inlined) {
      for (const auto& [name, value] : filled(*field.type, depth).members()) out.set(name, value);
      continue;
    }
    const bool deeper = field.scalar == Scalar::kObject || field.type != nullptr;
    if (field.proto_number == 0 || (deeper && depth > 4)) continue;
    Value value = one_of(field, depth);
    if (field.shape == FieldShape::kList) value = Value::array({value, value});
    if (field.shape == FieldShape::kMap) value = Value::object({{"a", value}, {"k", value}});
    if (field.shape == FieldShape::kMapOfLists) value = Value::object({{"k", Value::array({value})}});
    out.set(field.name, std::move(value));
  }
  return out;
}

Value through(const Registry& registry, const Kind& kind, const Value& object) {
  const auto body = encode_protobuf(registry, object);
  REQUIRE(body.has_value());
  const auto decoded = decode(registry, kind, MediaType::kProtobuf, *body);
  REQUIRE_MESSAGE(decoded.has_value(), decoded.error().message);
  return decoded->object;
}

Value conformed(const Kind& kind, const std::string& text) {
  auto object = conform(kind, *json::parse(text));
  REQUIRE_MESSAGE(object.has_value(), object.error().message);
  object->object.set("kind", kind.kind);
  object->object.set("apiVersion", kind.api_version());
  return object->object;
}

}  // namespace

TEST_CASE("every kind with every field is read from protobuf as it was written") {
  const Registry registry;
  size_t kinds = 0;
  for (const KindPtr& kind : registry.all()) {
    if (kind->type == nullptr) continue;
    CAPTURE(kind->kind);
    const Value object = conformed(*kind, json::encode(filled(*kind->type, 0)));
    const Value back = through(registry, *kind, object);
    CHECK_MESSAGE(back == object, json::encode(back).substr(0, 3000)
                                      << "\n want " << json::encode(object).substr(0, 3000));
    ++kinds;
  }
  CHECK(kinds > 25);
}

TEST_CASE("each alternative of a schema's parts goes through protobuf") {
  const Registry registry;
  const KindPtr kind = registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  const auto definition = [](const std::string& schema) {
    return R"({"metadata":{"name":"as.x.io"},"spec":{"group":"x.io","scope":"Cluster",
      "names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,
      "schema":{"openAPIV3Schema":)" +
           schema + "}}]}}";
  };
  for (const char* schema :
       {R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}})",
        R"({"items":[{"type":"string"},{"type":"integer"}]})",
        R"({"items":{"items":{"items":{"type":"object"}}}})", R"({"additionalProperties":true})",
        R"({"additionalProperties":false})", R"({"additionalProperties":{"type":"string","minLength":0}})",
        R"({"additionalItems":{"default":[1,{"a":null}]}})",
        R"({"dependencies":{"a":["b","c"],"d":{"type":"object"}}})", R"({"enum":["x",1,true,{"a":[]}]})",
        R"({"default":"","example":0,"minimum":0,"maximum":-1.5})",
        R"({"x-kubernetes-preserve-unknown-fields":false,"x-kubernetes-int-or-string":true})"}) {
    CAPTURE(schema);
    const Value object = conformed(*kind, definition(schema));
    const Value back = through(registry, *kind, object);
    CHECK_MESSAGE(back == object, json::encode(back) << "\n want " << json::encode(object));
  }
}

TEST_CASE("Go's zero time is no time in protobuf, and every other of its year is itself") {
  const Registry registry;
  const KindPtr kind = registry.find("coordination.k8s.io", "v1", "leases");
  // seconds -62135596800, in ten bytes.
  const std::string zero("\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01", 11);
  const auto field = [](int number, const std::string& bytes) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
  };
  const std::string type = field(1, field(1, "coordination.k8s.io/v1") + field(2, "Lease"));
  const std::string lease = field(1, field(1, "l")) + field(2, field(3, zero));
  const auto decoded =
      decode(registry, *kind, MediaType::kProtobuf, std::string("k8s\0", 4) + type + field(2, lease));
  REQUIRE_MESSAGE(decoded.has_value(), decoded.error().message);
  CHECK(decoded->object["spec"]["acquireTime"].is_null());
  for (const char* time :
       {"0001-01-01T00:00:01.000000Z", "0000-02-29T23:59:59.999999Z", "1899-12-31T00:00:00.000000Z",
        "2026-11-28T12:00:00.123456Z", "9999-12-31T23:59:59.000000Z"}) {
    const Value object =
        conformed(*kind, R"({"metadata":{"name":"l"},"spec":{"renewTime":")" + std::string(time) + "\"}}");
    CHECK(through(registry, *kind, object)["spec"]["renewTime"].str() == time);
  }
}

}  // namespace skiff::kube
