// Patches and protobuf bodies in shapes made to be expensive.
#include "testing/check_growth.h"

#include <doctest/doctest.h>

#include <functional>

#include "kube/patch/patch.h"
#include "kube/schema/protobuf.h"

using namespace skiff;
using namespace skiff::kube;
using json::Value;
using testing::check_growth;
using testing::Shape;

TEST_CASE("patches are applied in linear time") {
  const Registry registry;
  const auto kind = registry.find("", "v1", "configmaps");
  const Type& type = *kind->type;
  const Type& pod = *registry.find("", "v1", "pods")->type;
  const auto on_itself = [](const Type& of) {
    return [&of](const std::string& text) {
      const auto patch = json::parse(text);
      if (!patch) return;
      const auto merged = apply_strategic_merge_patch(of, *patch, *patch);
      static_cast<void>(apply_merge_patch(*patch, *patch));
    };
  };
  const auto removing = [&](const std::string& text) {
    const auto object = json::parse(text);
    Value patch = Value::object();
    for (const auto& [key, value] : object->members()) patch.set(key, nullptr);
    CHECK(apply_merge_patch(*object, patch).size() == 0);
    CHECK(apply_strategic_merge_patch(type, *object, patch)->size() == 0);
  };
  check_growth({"{", "\"k#\":1,", "\"z\":1}"}, removing);
  for (const Shape& shape :
       {Shape{"{", "\"k#\":1,", "\"z\":1}"}, Shape{"{\"data\":{", "\"k#\":\"v\",", "\"z\":\"v\"}}"},
        Shape{"{\"data\":{", "\"k#\":null,", "\"z\":\"v\"}}"},
        Shape{"{", "\"$setElementOrder/k#\":[],", "\"z\":1}"},
        Shape{"{", "\"$deleteFromPrimitiveList/k#\":[1],", "\"z\":1}"},
        Shape{"{\"$retainKeys\":[", "\"k#\",", "\"z\"],\"z\":1}"},
        Shape{"{\"metadata\":{\"finalizers\":[", "\"f#\",", "\"z\"]}}"}})
    check_growth(shape, on_itself(type));
  for (const Shape& shape :
       {Shape{"{\"spec\":{\"containers\":[", "{\"name\":\"c#\"},", "{\"name\":\"z\"}]}}"},
        Shape{"{\"spec\":{\"containers\":[", "{\"name\":\"c\"},", "{\"name\":\"z\"}]}}"},
        Shape{"{\"spec\":{\"$setElementOrder/containers\":[", "{\"name\":\"c#\"},", "{\"name\":\"z\"}]}}"},
        Shape{"{\"spec\":{\"containers\":[", "{\"name\":\"c#\",\"$patch\":\"delete\"},",
              "{\"name\":\"z\"}]}}"}})
    check_growth(shape, on_itself(pod));
}

TEST_CASE("operations of a JSON patch on a large list are bounded in what they move and how deep they go") {
  Value list = Value::array();
  for (int i = 0; i < 200'000; ++i) list.push_back(i);
  const Value object = Value::object({{"l", list}, {"m", Value::object()}});
  const auto many = [&](const char* operation) {
    Value patch = Value::array();
    for (size_t i = 0; i < kMaxJsonPatchOperations; ++i) patch.push_back(*json::parse(operation));
    return apply_json_patch(object, patch);
  };
  CHECK(many(R"({"op":"add","path":"/l/0","value":1})").error().code == Code::kResourceExhausted);
  CHECK(many(R"({"op":"remove","path":"/l/0"})").error().code == Code::kResourceExhausted);
  CHECK(many(R"({"op":"move","from":"/l/0","path":"/l/1"})").error().code == Code::kResourceExhausted);
  CHECK(many(R"({"op":"add","path":"/l/-","value":1})").has_value());
  CHECK(many(R"({"op":"test","path":"/l/5","value":5})").has_value());

  // Each step puts the object into itself: a tower that no recursion survives.
  std::string path;
  Value patch = Value::array();
  for (int i = 0; i < 400; ++i) {
    path += "/a";
    patch.push_back(Value::object({{"op", "add"}, {"path", path}, {"value", Value::object()}}));
  }
  CHECK(apply_json_patch(Value::object(), patch).error().code == Code::kResourceExhausted);
}

TEST_CASE("protobuf bodies are read in linear time") {
  const Registry registry;
  const auto varint = [](size_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out += static_cast<char>(value);
  };
  const auto field = [&](int number, const std::string& bytes) {
    return varint(static_cast<size_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
  };
  const auto body = [&](const std::string& message) {
    return std::string("k8s\0", 4) + field(1, field(1, "v1") + field(2, "ConfigMap")) + field(2, message);
  };
  const auto work = [&](const std::string& message) {
    static_cast<void>(decode_protobuf(registry, body(message)));
  };
  const auto repeated = [&](const std::function<std::string(int)>& part, size_t size) {
    std::string out;
    for (int i = 0; out.size() < size; ++i) out += part(i);
    return out;
  };
  const std::function<std::string(int)> parts[] = {
      [&](int i) { return field(2, field(1, "k" + std::to_string(i)) + field(2, "v")); },  // data
      [&](int) { return field(1, field(1, "x")); },                                        // metadata
      [&](int i) { return field(99, std::to_string(i)); },
      [&](int i) { return field(1, field(11, field(1, "l" + std::to_string(i)))); },  // labels
  };
  for (const auto& part : parts) {
    const auto high = testing::cost_of(repeated(part, testing::kLargeInput), work, 3);
    const auto low = testing::cost_of(repeated(part, testing::kSmallInput), work, 5);
    const double ratio =
        static_cast<double>(high.count()) / static_cast<double>(std::max<int64_t>(low.count(), 1000));
    CHECK(ratio < testing::kMostGrowth * testing::kLargeInput / testing::kSmallInput);
  }
}
