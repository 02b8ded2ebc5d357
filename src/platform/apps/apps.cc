#include "platform/apps/apps.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "platform/apps/buildpacks.h"
#include "platform/apps/manifests.h"
#include "platform/apps/procfile.h"
#include "platform/apps/turn.h"
#include "platform/renames/record.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr int kMaxQuantity = 100;    // of one process type
constexpr int kChangeAttempts = 10;  // another writer changed the App meanwhile: read it again

std::unexpected<Error> no_such_app() {
  return fail(Code::kNotFound, "Couldn't find that app.");
}

}  // namespace

std::string Apps::web_url(const std::string& app) const {
  return fmt::format("http://{}.{}{}/", app, domain_, url_port_);
}

io::Task<Result<std::vector<Value>>> Apps::list() {
  auto found = co_await api_.list(resources_path("apps"), "");
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Value> apps;
  for (const auto& item : (*found)["items"].items()) {
    if (item["metadata"]["name"] == item["metadata"]["namespace"]) apps.push_back(item);
  }
  co_return apps;
}

io::Task<Result<Value>> Apps::get(std::string app) {
  auto valid = check_app_name(app);
  if (!valid) co_return no_such_app();
  auto found = co_await api_.get(resource_path("apps", app, app));
  if (!found && found.error().code == Code::kNotFound) co_return no_such_app();
  co_return found;
}

io::Task<Result<void>> Apps::create(std::string app, Prepare prepare) {
  auto valid = check_app_name(app);
  SKIFF_CO_RETURN_IF_ERROR(valid);
  auto manifest = namespace_manifest(app);
  auto space = co_await api_.create("/api/v1/namespaces", std::move(manifest));
  if (!space && space.error().code == Code::kAlreadyExists) {
    space = co_await api_.get("/api/v1/namespaces/" + app);
    SKIFF_CO_RETURN_IF_ERROR(space);
    if ((*space)["metadata"].contains("deletionTimestamp")) {
      co_return fail(Code::kAlreadyExists,
                     fmt::format("{} is still being destroyed; try again in a moment", app));
    }
    // One of ours without an App was left by a platform that died right here: it is taken up.
    // An app that is being renamed has taken its new name that way.
    if (!(*space)["metadata"]["labels"].contains(kAppLabel) || parse_rename_record(*space)) {
      co_return fail(Code::kAlreadyExists, fmt::format("Name {} is already taken", app));
    }
  }
  SKIFF_CO_RETURN_IF_ERROR(space);
  co_await wait_for_turn(loop_, releasing_, app);
  const Turn turn(releasing_, app);
  auto known = co_await api_.get(resource_path("apps", app, app));
  if (!known && known.error().code != Code::kNotFound) co_return std::unexpected(known.error());
  // An App without a release was left by a platform that died right before it made the first.
  if (known && parse_app_spec(*known).release != 0) {
    co_return fail(Code::kAlreadyExists, fmt::format("Name {} is already taken", app));
  }
  if (!known) {
    auto made = co_await create_object(app, std::move(prepare));
    SKIFF_CO_RETURN_IF_ERROR(made);
  }
  Release initial;
  initial.description = "Initial release";
  auto released = co_await make_release(app, std::move(initial), Value::object());
  SKIFF_CO_RETURN_IF_ERROR(released);
  co_return Result<void>{};
}

io::Task<Result<void>> Apps::create_object(std::string app, Prepare prepare) {
  auto cleared = co_await remove_images(app);  // of an app of that name that was just destroyed
  if (!cleared) log_warn("old images stay", {{"app", app}, {"error", cleared.error().message}});
  if (prepare) {
    auto prepared = co_await prepare(app);
    SKIFF_CO_RETURN_IF_ERROR(prepared);
  }
  auto object = make_resource("App", app, app, encode_app_spec({}));
  auto created = co_await api_.create(resources_path("apps", app), std::move(object));
  if (!created && created.error().code == Code::kAlreadyExists) {
    co_return fail(Code::kAlreadyExists, fmt::format("Name {} is already taken", app));
  }
  SKIFF_CO_RETURN_IF_ERROR(created);
  co_return Result<void>{};
}

io::Task<void> Apps::settle(std::string app) {
  co_await wait_for_turn(loop_, releasing_, app);
}

io::Task<Result<void>> Apps::destroy(std::string app) {
  auto found = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(found);
  auto space = co_await api_.remove("/api/v1/namespaces/" + app, nullptr);
  SKIFF_CO_RETURN_IF_ERROR(space);
  scope_.spawn(remove_images_later(this, app));
  scope_.spawn(stop_builds(this, app));
  // The App at once, the rest with its namespace.
  auto removed = co_await api_.remove(resource_path("apps", app, app), nullptr);
  if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  co_await wait_until_gone(std::move(app));
  co_return Result<void>{};
}

io::Task<Result<Apps::Writing>> Apps::change_app(std::string app, Change change) {
  for (int attempt = 0; attempt < kChangeAttempts; ++attempt) {
    auto object = co_await get(app);
    SKIFF_CO_RETURN_IF_ERROR(object);
    AppSpec spec = parse_app_spec(*object);
    change(spec);
    object->set("spec", encode_app_spec(spec));
    auto updated = co_await api_.update(resource_path("apps", app, app), std::move(*object));
    if (!updated && updated.error().code == Code::kConflict) continue;
    SKIFF_CO_RETURN_IF_ERROR(updated);
    auto rolled = co_await roll_out(app);
    if (rolled) co_return Writing::kDone;
    if (rolled.error().code == Code::kNotFound) co_return std::unexpected(rolled.error());
    log_warn("app is rolled out later", {{"app", app}, {"error", rolled.error().message}});
    co_return Writing::kLater;
  }
  co_return fail(Code::kConflict, "the app was changed by others all the time; try again");
}

io::Task<Result<std::vector<Apps::Process>>> Apps::formation(std::string app) {
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const AppSpec spec = parse_app_spec(*object);
  std::vector<Process> processes;
  if (spec.release == 0) co_return processes;
  auto current = co_await release(app, spec.release);
  SKIFF_CO_RETURN_IF_ERROR(current);
  for (const auto& [type, quantity] : formation_of(spec, *current)) {
    processes.push_back({type, current->types[type], quantity});
  }
  co_return processes;
}

io::Task<Result<void>> Apps::scale(std::string app, std::map<std::string, int> quantities) {
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  auto current = co_await release(app, parse_app_spec(*object).release);
  SKIFF_CO_RETURN_IF_ERROR(current);
  for (const auto& [type, quantity] : quantities) {
    if (!current->types.contains(type)) {
      co_return fail(
          Code::kNotFound,
          fmt::format("Couldn't find that process type ({}); push a build whose Procfile names it", type));
    }
    if (quantity < 0 || quantity > kMaxQuantity) {
      co_return fail(Code::kInvalidArgument,
                     fmt::format("{} can't be scaled to {}: a process type has 0 to {} dynos", type, quantity,
                                 kMaxQuantity));
    }
  }
  Change change = [quantities](AppSpec& now) {
    for (const auto& [type, quantity] : quantities) {
      if (now.formation.contains(type))
        now.formation[type] = quantity;  // else a release has just taken it away
    }
  };
  auto changed = co_await change_app(std::move(app), std::move(change));
  SKIFF_CO_RETURN_IF_ERROR(changed);
  co_return Result<void>{};
}

io::Task<Result<void>> Apps::set_maintenance(std::string app, Maintenance maintenance) {
  Change change = [maintenance](AppSpec& spec) { spec.maintenance = maintenance; };
  auto changed = co_await change_app(std::move(app), std::move(change));
  SKIFF_CO_RETURN_IF_ERROR(changed);
  co_return Result<void>{};
}

io::Task<Result<std::vector<std::string>>> Apps::buildpacks(std::string app) {
  auto object = co_await get(std::move(app));
  SKIFF_CO_RETURN_IF_ERROR(object);
  co_return parse_app_spec(*object).buildpacks;
}

io::Task<Result<std::vector<std::string>>> Apps::set_buildpacks(std::string app, Value body) {
  auto present = co_await buildpacks(app);
  SKIFF_CO_RETURN_IF_ERROR(present);
  auto wanted = parse_buildpack_updates(body, *present);
  SKIFF_CO_RETURN_IF_ERROR(wanted);
  Change change = [entries = *wanted](AppSpec& spec) { spec.buildpacks = entries; };
  auto changed = co_await change_app(std::move(app), std::move(change));
  SKIFF_CO_RETURN_IF_ERROR(changed);
  co_return wanted;
}

io::Task<Result<std::vector<Value>>> Apps::pods(std::string app) {
  auto found = co_await api_.list(fmt::format("/api/v1/namespaces/{}/pods", app),
                                  "labelSelector=" + url_encode(kProcessLabel));
  SKIFF_CO_RETURN_IF_ERROR(found);
  co_return (*found)["items"].items();
}

}  // namespace skiff::platform
