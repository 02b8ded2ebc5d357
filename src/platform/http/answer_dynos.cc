// Dynos: listed, started anew, ended.
#include <fmt/core.h>

#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

// "dynos", and "dynos/web.1". To restart, Heroku's command line deletes: all, one, or those of a type.
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
  const Value dynos = dyno_shapes(question.app, *pods);
  if (question.name.empty()) co_return json_response(200, dynos);
  for (const auto& dyno : dynos.items()) {
    if (dyno["name"].str() == question.name || dyno["id"].str() == question.name)
      co_return json_response(200, dyno);
  }
  co_return fail(Code::kNotFound, "Couldn't find that dyno.");
}

// "formations/web": DELETE restarts.
io::Task<Api::Answer> Api::answer_formation_type(Question question) {
  if (question.method != "DELETE" || question.name.empty()) co_return no_endpoint();
  auto restarted = co_await answer_dynos(std::move(question));
  co_return restarted;
}

// "dynos/web.1/actions/stop" and "formations/web/actions/stop".
io::Task<Api::Answer> Api::answer_stop(Question question) {
  if (question.method != "POST" || question.name.empty()) co_return no_endpoint();
  auto stopped = co_await apps_.stop(question.app, question.name);
  SKIFF_CO_RETURN_IF_ERROR(stopped);
  note(question.app, fmt::format("Stopped {} by user skiff", question.name));
  co_return json_response(202, Value::object());
}

}  // namespace skiff::platform
