#include <fmt/core.h>

#include <set>

#include "base/log.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

namespace {
constexpr size_t kNameSuffix = 8;  // random characters of a name nobody chose
// What Heroku's API takes; of these the name alone has an effect here.
const std::set<std::string_view> kCreateFields = {
    "feature_flags", "internal_routing", "kernel", "locked", "name", "organization",
    "personal",      "region",           "space",  "stack",  "team"};
}  // namespace

Value Api::shape(const Value& app) const {
  const std::string name = app["metadata"]["name"].str();
  return app_shape(app, apps_.web_url(name), git_url(name));
}

std::string Api::git_url(const std::string& app) const {
  return fmt::format("http://localhost{}/{}.git", options_.url_port, app);
}

io::Task<Result<void>> Api::remove_files(std::string app) {
  logs_.remove(app);
  auto repository = co_await repositories_.store().remove(app);
  SKIFF_CO_RETURN_IF_ERROR(repository);
  auto rest = co_await io::run_blocking(
      loop_, [places = options_.places, app = std::move(app)] { return remove_build_files(places, app); });
  co_return rest;
}

io::Task<Result<void>> Api::prepare_files(std::string app) {
  auto removed = co_await remove_files(app);
  SKIFF_CO_RETURN_IF_ERROR(removed);
  auto repository = co_await repositories_.store().create(app);
  SKIFF_CO_RETURN_IF_ERROR(repository);
  co_return Result<void>{};
}

io::Task<Api::Answer> Api::answer_apps(std::string method, Value body) {
  if (method == "GET") {
    auto apps = co_await apps_.list();
    SKIFF_CO_RETURN_IF_ERROR(apps);
    Value out = Value::array();
    // Of the two names of an app that is being renamed, one.
    for (const auto& app : *apps) {
      if (!renames_.hides(app["metadata"]["name"].str())) out.push_back(shape(app));
    }
    co_return json_response(200, out);
  }
  if (method != "POST") co_return no_endpoint();
  if (!body["name"].is_null() && !body["name"].is_string())
    co_return fail(Code::kInvalidArgument, "an app's \"name\" is a string");
  for (const auto& [field, value] : body.members()) {
    if (!kCreateFields.contains(field))
      co_return fail(Code::kInvalidArgument,
                     fmt::format("\"{}\" is nothing that an app is made with", field));
  }
  std::string name = body["name"].str();
  if (name.empty()) name = "app-" + make_name_suffix(loop_.random(), kNameSuffix);
  auto free = renames_.check_free(name);
  SKIFF_CO_RETURN_IF_ERROR(free);
  auto created = co_await apps_.create(name, [this](std::string app) { return prepare_files(app); });
  SKIFF_CO_RETURN_IF_ERROR(created);
  logs_.begin(name);
  note(name, "Release v1 created by user skiff");
  note(name, "Initial release by user skiff");
  auto app = co_await apps_.get(name);
  SKIFF_CO_RETURN_IF_ERROR(app);
  co_return json_response(201, shape(*app));
}

io::Task<Api::Answer> Api::answer_app(Question question) {
  const std::string app = question.app;
  if (question.method == "PATCH" && question.body["name"].is_string() && question.body.size() == 1) {
    auto renamed = co_await rename(app, question.body["name"].str());
    co_return renamed;
  }
  if (question.method == "PATCH") {
    const Value& wanted = question.body["maintenance"];
    if (!wanted.is_bool() || question.body.size() != 1) {
      co_return fail(Code::kInvalidArgument,
                     "an app's \"maintenance\", true or false, or its \"name\", is what can be changed");
    }
    const auto maintenance = wanted.as_bool() ? Maintenance::kOn : Maintenance::kOff;
    auto changed = co_await apps_.set_maintenance(app, maintenance);
    SKIFF_CO_RETURN_IF_ERROR(changed);
    note(app, wanted.as_bool() ? "Enable maintenance mode by user skiff"
                               : "Disable maintenance mode by user skiff");
  } else if (question.method != "GET" && question.method != "DELETE") {
    co_return no_endpoint();
  }
  auto object = co_await apps_.get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  if (question.method == "DELETE") {
    auto gone = co_await apps_.destroy(app);
    SKIFF_CO_RETURN_IF_ERROR(gone);
    auto removed = co_await remove_files(app);
    if (!removed)
      log_warn("files of a destroyed app stay", {{"app", app}, {"error", removed.error().message}});
  }
  co_return json_response(200, shape(*object));
}

}  // namespace skiff::platform
