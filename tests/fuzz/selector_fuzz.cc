// Any bytes as the small languages of the API: selectors, quantities, printer paths, times, paths of
// requests, lines of a watch. No crash; what was understood reads back as the same.
#include "base/time.h"
#include "input.h"
#include "kube/client/api_error.h"
#include "kube/print/json_path.h"
#include "kube/schema/quantity.h"
#include "kube/selector/selector.h"
#include "kube/server/list_query.h"
#include "kube/server/request_info.h"

namespace {

using namespace skiff;

void label_selector(std::string_view text) {
  const auto selector = kube::LabelSelector::parse(text);
  if (!selector) return;
  const auto again = kube::LabelSelector::parse(selector->to_string());
  fuzz::require(again && again->to_string() == selector->to_string());
}

void quantity(std::string_view text) {
  const auto given = kube::parse_quantity(text);
  if (!given) return;
  // The stored form is rounded up to what its suffix can say; from there on it stays.
  const std::string stored = kube::format_quantity(*given);
  const auto again = kube::parse_quantity(stored);
  fuzz::require(again && kube::format_quantity(*again) == stored);
}

void time(std::string_view text) {
  const auto given = parse_rfc3339(text);
  if (!given) return;
  const auto again = parse_rfc3339(format_rfc3339_nano(*given));
  fuzz::require(again && *again == *given);
}

void field_selector(std::string_view text) {
  static const json::Value object = json::Value::object({{"metadata", json::Value::object({{"name", "x"}})}});
  if (const auto selector = kube::FieldSelector::parse(text)) (void)selector->matches(object);
}

void printer_path(fuzz::Input& input) {
  const std::string_view path = input.part();
  const auto object = json::parse(input.rest());
  if (object) (void)kube::find_by_path(*object, path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  switch (input.choose(8)) {
    case 0:
      label_selector(input.rest());
      break;
    case 1:
      quantity(input.rest());
      break;
    case 2:
      time(input.rest());
      break;
    case 3:
      field_selector(input.rest());
      break;
    case 4:
      printer_path(input);
      break;
    case 5:
      (void)kube::parse_request_info("GET", input.rest(), false);
      (void)kube::parse_revision(input.rest());
      break;
    case 6:
      (void)kube::parse_watch_line(input.rest());
      (void)kube::error_from_answer(500, input.rest());
      break;
    default:
      if (const auto selector = json::parse(input.rest())) (void)kube::LabelSelector::from_object(*selector);
  }
  return 0;
}
