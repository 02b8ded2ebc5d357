// Time per byte: any text, repeated to a megabyte, may cost per byte what it costs repeated to 30 KB, and not
// much more. Finds the shapes that make a parser quadratic, for every parser that runs on a loop, and for
// what builds print and leave.
//
// Input: the parser (a byte), then head, unit and tail, with "---" lines between; "#" in the unit counts.
#include "base/strings.h"
#include "base/yaml.h"
#include "input.h"
#include "io/sim_loop.h"
#include "kube/patch/patch.h"
#include "kube/print/json_path.h"
#include "kube/schema/quantity.h"
#include "kube/selector/selector.h"
#include "platform/apps/procfile.h"
#include "platform/builds/build_details.h"
#include "platform/builds/output.h"
#include "platform/builds/stack_layers.h"
#include "platform/builds/submodules.h"
#include "platform/resources/build_records.h"
#include "testing/cost.h"

namespace {

using namespace skiff;

constexpr int64_t kLargestOutputKb = 1 << 16;

// An object of a kind whose schema is the input, and a definition that has it.
void schema(const std::string& text) {
  auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return;
  kube::Kind kind;
  kind.custom = kind.listed = true;
  kind.custom_schema = *parsed;
  const auto object =
      kube::conform(kind, json::Value::object({{"spec", *parsed}, {"a", "aaaaaaaaaaaaaaaaaaaa!"}}));
  if (!object) return;
  json::Value whole = object->object;
  kube::apply_defaults(kind, whole);
  static_cast<void>(kube::validate(kind, whole, &object->object));
}

void definition(const std::string& text) {
  static const kube::Registry registry;
  static const auto kind = registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  const auto decoded = kube::decode(registry, *kind, kube::MediaType::kYaml, text);
  if (decoded) static_cast<void>(kube::validate(*kind, decoded->object, nullptr));
}

void patch(const std::string& text) {
  static const kube::Registry registry;
  static const auto pods = registry.find("", "v1", "pods");
  const auto parsed = json::parse(text);
  if (!parsed) return;
  static_cast<void>(
      kube::apply_json_patch(json::Value::object({{"a", json::Value::array({1, 2})}}), *parsed));
  static_cast<void>(kube::apply_merge_patch(*parsed, *parsed));
  static_cast<void>(kube::apply_strategic_merge_patch(*pods->type, *parsed, *parsed));
}

void words(const std::string& text) {
  if (const auto selector = kube::LabelSelector::parse(text)) static_cast<void>(selector->to_string());
  if (const auto selector = kube::FieldSelector::parse(text))
    static_cast<void>(selector->matches(json::Value::object()));
  static_cast<void>(kube::parse_quantity(text));
  static_cast<void>(kube::find_by_path(json::Value::object({{"a", json::Value::array({1})}}), text));
  static_cast<void>(platform::parse_procfile(text));
  static_cast<void>(replace_all(text, text.substr(0, 1), "xy"));
}

// What a build prints and leaves.
void build(const std::string& text) {
  constexpr size_t kPiece = 8192;
  io::SimLoop loop(1);
  platform::BuildText kept;
  platform::BuildOutput output(loop, [&kept](std::string_view piece) { kept.add(piece); }, kLargestOutputKb);
  for (size_t at = 0; at < text.size(); at += kPiece) output.write(std::string_view(text).substr(at, kPiece));
  static_cast<void>(kept.buildpack());
  static_cast<void>(platform::parse_report(text));
  static_cast<void>(platform::parse_phases(text));
  static_cast<void>(platform::parse_layer_names(text));
  static_cast<void>(platform::parse_submodules(text));
}

void run(size_t parser, const std::string& text) {
  std::vector<std::string> duplicates;
  switch (parser) {
    case 0:
      static_cast<void>(yaml::parse_all(text, {.duplicate_keys = &duplicates}));
      break;
    case 1:
      static_cast<void>(json::parse(text, {.duplicate_keys = &duplicates}));
      break;
    case 2:
      schema(text);
      break;
    case 3:
      definition(text);
      break;
    case 4:
      patch(text);
      break;
    default:
      words(text);
      build(text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxPart = 1000;  // bytes: what is repeated is short
  if (size > 4 * kMaxPart) return 0;
  fuzz::Input input(data, size);
  const size_t parser = input.choose(6);
  testing::Shape shape;
  shape.head = input.part();
  shape.unit = input.part();
  shape.tail = input.rest();
  if (shape.unit.empty()) return 0;
  const auto work = [parser](const std::string& text) { run(parser, text); };
  fuzz::require(testing::growth(shape, testing::kSmallInput, testing::kLargeInput, work) <
                2 * testing::kMostGrowth);
  return 0;
}
