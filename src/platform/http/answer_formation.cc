// Process types and how many dynos they have.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

namespace {

using Processes = std::vector<Apps::Process>;

Processes::const_iterator find_type(const Processes& processes, std::string_view type) {
  return std::ranges::find_if(processes, [&](const Apps::Process& process) { return process.type == type; });
}

// A number, or as Heroku's command line sends it: "2", "+1", "-1", of the `present` dynos.
std::optional<int64_t> parse_quantity(const Value& quantity, int64_t present) {
  if (quantity.is_int()) return quantity.as_int();
  if (!quantity.is_string()) return std::nullopt;
  const std::string_view text = quantity.str();
  const bool changes = text.starts_with('+') || text.starts_with('-');
  const auto count = parse_int(changes ? text.substr(1) : text);
  if (!count || *count < 0 || *count > INT32_MAX) return std::nullopt;
  return changes ? present + (text.front() == '+' ? *count : -*count) : *count;
}

// A size alone changes nothing: there is one.
Result<std::map<std::string, int>> parse_quantities(const Value& updates, const Processes& present) {
  std::map<std::string, int> quantities;
  for (const auto& update : updates.items()) {
    const std::string& type = update["type"].str();
    const Value& size = update["size"];
    if (!size.is_null() && !equals_ignore_case(size.str(), kDynoSize)) {
      return fail(Code::kInvalidArgument, fmt::format("dynos have the size {} here", kDynoSize));
    }
    const auto at = find_type(present, type);
    const int64_t now = at == present.end() ? 0 : at->quantity;
    const bool resizes = update["quantity"].is_null() && !size.is_null();
    const auto quantity = resizes ? now : parse_quantity(update["quantity"], now);
    if (type.empty() || !quantity || *quantity < 0 || *quantity > INT32_MAX) {
      return fail(Code::kInvalidArgument,
                  "each update has a type and a quantity of 0 or more, or a change such as \"+1\"");
    }
    quantities[type] = static_cast<int>(*quantity);
  }
  if (quantities.empty()) return fail(Code::kInvalidArgument, "no process type was named");
  return quantities;
}

}  // namespace

// "formation", and "formation/web".
io::Task<Api::Answer> Api::answer_formation(Question question) {
  const std::string app = question.app;
  auto processes = co_await apps_.formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  if (question.method == "PATCH") {
    Value one = Value::array({question.body});
    if (!question.name.empty()) one.edit_items()[0].set("type", question.name);
    auto quantities = parse_quantities(question.name.empty() ? question.body["updates"] : one, *processes);
    SKIFF_CO_RETURN_IF_ERROR(quantities);
    auto scaled = co_await apps_.scale(app, *quantities);
    SKIFF_CO_RETURN_IF_ERROR(scaled);
    for (const auto& [type, quantity] : *quantities) {
      note(app, fmt::format("Scaled to {}@{}:{} by user skiff", type, quantity, kDynoSize));
    }
    processes = co_await apps_.formation(app);
    SKIFF_CO_RETURN_IF_ERROR(processes);
  } else if (question.method != "GET") {
    co_return no_endpoint();
  }
  if (!question.name.empty()) {
    const auto at = find_type(*processes, question.name);
    if (at == processes->end()) co_return fail(Code::kNotFound, "Couldn't find that process type.");
    co_return json_response(200, formation_shape(app, *at));
  }
  Value out = Value::array();
  for (const auto& process : *processes) out.push_back(formation_shape(app, process));
  co_return json_response(200, out);
}

}  // namespace skiff::platform
