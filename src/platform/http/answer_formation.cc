// Process types, their dynos.
#include <fmt/core.h>

#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

namespace {

Result<std::map<std::string, int>> parse_quantities(const Value& updates) {
  std::map<std::string, int> quantities;
  for (const auto& update : updates.items()) {
    const int64_t quantity = update["quantity"].as_int(-1);
    if (update["type"].str().empty() || !update["quantity"].is_int() || quantity < 0 ||
        quantity > INT32_MAX) {
      return fail(Code::kInvalidArgument, "each update has a type and a quantity of 0 or more");
    }
    quantities[update["type"].str()] = static_cast<int>(quantity);
  }
  if (quantities.empty()) return fail(Code::kInvalidArgument, "no process type was named");
  return quantities;
}

}  // namespace

io::Task<Api::Answer> Api::answer_formation(Question question) {
  const std::string app = question.app;
  if (question.method == "PATCH") {
    auto quantities = parse_quantities(question.body["updates"]);
    SKIFF_CO_RETURN_IF_ERROR(quantities);
    auto scaled = co_await apps_.scale(app, *quantities);
    SKIFF_CO_RETURN_IF_ERROR(scaled);
    for (const auto& [type, quantity] : *quantities) {
      note(app, fmt::format("Scaled to {}@{}:Basic by user skiff", type, quantity));
    }
  } else if (question.method != "GET") {
    co_return no_endpoint();
  }
  auto processes = co_await apps_.formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  Value out = Value::array();
  for (const auto& process : *processes) out.push_back(formation_shape(app, process));
  co_return json_response(200, out);
}

io::Task<Api::Answer> Api::answer_dynos(Question question) {
  if (question.method == "DELETE") {
    auto restarted = co_await apps_.restart(question.app, question.name);
    SKIFF_CO_RETURN_IF_ERROR(restarted);
    note(question.app, question.name.empty() ? "Restarted all dynos by user skiff"
                                             : fmt::format("Restarted {} by user skiff", question.name));
    co_return json_response(202, Value::object());
  }
  if (question.method != "GET") co_return no_endpoint();
  auto pods = co_await apps_.pods(question.app);
  SKIFF_CO_RETURN_IF_ERROR(pods);
  co_return json_response(200, dyno_shapes(question.app, *pods));
}

}  // namespace skiff::platform
