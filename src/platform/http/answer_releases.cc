// Config vars and releases.
#include <fmt/core.h>

#include "base/strings.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

io::Task<Api::Answer> Api::answer_config(Question question) {
  if (question.method == "PATCH") {
    auto release = co_await apps_.change_config(question.app, std::move(question.body));
    SKIFF_CO_RETURN_IF_ERROR(release);
    if (*release) note_release(question.app, **release);
  } else if (question.method != "GET") {
    co_return no_endpoint();
  }
  auto vars = co_await apps_.config(question.app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  co_return json_response(200, *vars);
}

io::Task<Api::Answer> Api::answer_releases(Question question) {
  const std::string app = question.app;
  if (question.method == "POST") {
    const std::string wanted = question.body["release"].str();
    const auto version = parse_int(wanted.starts_with("v") ? wanted.substr(1) : wanted);
    if (!version || *version < 1 || *version > INT32_MAX)
      co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no release such as v3", wanted));
    auto release = co_await apps_.roll_back(app, static_cast<int>(*version));
    SKIFF_CO_RETURN_IF_ERROR(release);
    note_release(app, *release);
    co_return json_response(201, release_shape(app, *release, IsCurrent::kYes));
  }
  if (question.method != "GET") co_return no_endpoint();
  auto object = co_await apps_.get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const int current = parse_app_spec(*object).release;
  const std::string serving = (*object)["status"]["serving"].str();
  auto all = co_await apps_.releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  Value out = Value::array();
  for (const auto& release : *all) {
    out.push_back(
        release_shape(app, release, release.version == current ? IsCurrent::kYes : IsCurrent::kNo, serving));
  }
  co_return json_response(200, out);
}

}  // namespace skiff::platform
