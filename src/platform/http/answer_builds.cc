#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

// "builds", newest first; "builds/<id>" has the output in full too.
io::Task<Api::Answer> Api::answer_builds(Question question) {
  if (question.method != "GET") co_return no_endpoint();
  auto builds = co_await builds_.list(question.app);
  SKIFF_CO_RETURN_IF_ERROR(builds);
  Value out = Value::array();
  for (const auto& build : *builds) {
    Value shape = build_shape(question.app, build);
    if (question.name == shape["id"].str()) {
      shape.set("output", builds_.output(question.app, question.name));
      co_return json_response(200, shape);
    }
    out.push_back(std::move(shape));
  }
  if (!question.name.empty()) co_return fail(Code::kNotFound, "Couldn't find that build.");
  co_return json_response(200, out);
}

}  // namespace skiff::platform
