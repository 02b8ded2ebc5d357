// Config vars and releases.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/list_range.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

namespace {

// A release is named by its version, with or without the v, or by its id.
bool names_release(const std::string& text, const Value& release) {
  const auto version = parse_int(text.starts_with('v') ? std::string_view(text).substr(1) : text);
  return version ? *version == release["version"].as_int() : text == release["id"].str();
}

Result<Value> find_release(const Value& releases, const std::string& app, const std::string& wanted) {
  for (const auto& release : releases.items()) {
    if (names_release(wanted, release)) return release;
  }
  return fail(Code::kNotFound, fmt::format("Couldn't find that release ({} of {}).", wanted, app));
}

}  // namespace

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

// "releases", oldest first unless a range says otherwise, and "releases/v3".
io::Task<Api::Answer> Api::answer_releases(Question question) {
  if (question.method == "POST" && question.name.empty()) {
    auto made = co_await roll_back(question.app, question.body["release"].str());
    co_return made;
  }
  if (question.method != "GET") co_return no_endpoint();
  auto releases = co_await release_shapes(question.app);
  SKIFF_CO_RETURN_IF_ERROR(releases);
  if (question.name.empty()) co_return json_response(200, cut_list(*releases, question.range));
  auto release = find_release(*releases, question.app, question.name);
  SKIFF_CO_RETURN_IF_ERROR(release);
  co_return json_response(200, *release);
}

io::Task<Api::Answer> Api::answer_release_config(Question question) {
  if (question.method != "GET") co_return no_endpoint();
  auto releases = co_await release_shapes(question.app);
  SKIFF_CO_RETURN_IF_ERROR(releases);
  auto release = find_release(*releases, question.app, question.name);
  SKIFF_CO_RETURN_IF_ERROR(release);
  auto vars = co_await apps_.config_of(question.app, static_cast<int>((*release)["version"].as_int()));
  SKIFF_CO_RETURN_IF_ERROR(vars);
  co_return json_response(200, *vars);
}

io::Task<Api::Answer> Api::roll_back(std::string app, std::string wanted) {
  const auto version = parse_int(wanted.starts_with("v") ? wanted.substr(1) : wanted);
  Value old = Value::object({{"version", version.value_or(0)}});
  if (!version) {
    auto releases = co_await release_shapes(app);
    SKIFF_CO_RETURN_IF_ERROR(releases);
    auto found = find_release(*releases, app, wanted);
    if (!found)
      co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no release such as v3", wanted));
    old = std::move(*found);
  }
  const int64_t number = old["version"].as_int();
  if (number < 1 || number > INT32_MAX)
    co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no release such as v3", wanted));
  auto release = co_await apps_.roll_back(app, static_cast<int>(number));
  SKIFF_CO_RETURN_IF_ERROR(release);
  note_release(app, *release);
  co_return json_response(201, release_shape(app, *release, IsCurrent::kYes));
}

io::Task<Result<Value>> Api::release_shapes(std::string app) {
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
  co_return out;
}

}  // namespace skiff::platform
