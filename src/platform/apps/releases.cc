#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "platform/apps/apps.h"
#include "platform/apps/manifests.h"
#include "platform/apps/procfile.h"
#include "platform/apps/rollout.h"
#include "platform/apps/turn.h"
#include "platform/images/layout_writer.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMaxConfigBytes = 64 << 10;  // all config vars of an app together
constexpr int kReleaseAttempts = 5;           // another writer's release of that number: take the next
constexpr size_t kShortCommit = 8;            // characters that people see

std::string secrets(const std::string& app) {
  return fmt::format("/api/v1/namespaces/{}/secrets", app);
}

// Changes the vars; the description of the release says what was done, "" for nothing.
Result<std::string> apply_changes(Value& vars, const Value& changes) {
  std::vector<std::string> set, removed;
  for (const auto& [name, value] : changes.members()) {
    SKIFF_RETURN_IF_ERROR(check_config_name(name));
    if (value.is_null()) {
      if (vars.erase(name)) removed.push_back(name);
    } else if (value.is_string()) {
      SKIFF_RETURN_IF_ERROR(check_config_value(name, value.str()));
      if (vars.contains(name) && vars[name] == value) continue;
      vars.set(name, value);
      set.push_back(name);
    } else {
      return fail(Code::kInvalidArgument, fmt::format("config var {} must be a string or null", name));
    }
  }
  if (!set.empty()) return fmt::format("Set {} config vars", join(set, ", "));
  if (!removed.empty()) return fmt::format("Remove {} config vars", join(removed, ", "));
  return "";
}

}  // namespace

io::Task<Result<std::vector<Release>>> Apps::releases(std::string app) {
  auto found = co_await api_.list(resources_path("releases", app), "");
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Release> all;
  for (const auto& item : (*found)["items"].items()) all.push_back(parse_release(item));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.version < b.version; });
  co_return all;
}

io::Task<Result<Release>> Apps::release(std::string app, int version) {
  auto found = co_await api_.get(resource_path("releases", app, release_name(version)));
  if (!found && found.error().code == Code::kNotFound) {
    co_return fail(Code::kNotFound, fmt::format("Couldn't find that release (v{} of {}).", version, app));
  }
  SKIFF_CO_RETURN_IF_ERROR(found);
  co_return parse_release(*found);
}

io::Task<Result<Value>> Apps::config_of(std::string app, int version) {
  Value vars = Value::object();
  if (version == 0) co_return vars;
  auto secret = co_await api_.get(secrets(app) + "/" + config_secret_name(version));
  SKIFF_CO_RETURN_IF_ERROR(secret);
  for (const auto& [name, encoded] : (*secret)["data"].members()) {
    vars.set(name, base64_decode(encoded.str()).value_or(""));
  }
  co_return vars;
}

io::Task<Result<Value>> Apps::config(std::string app) {
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  auto vars = co_await config_of(app, parse_app_spec(*object).release);
  co_return vars;
}

io::Task<Result<Release>> Apps::make_release(std::string app, Release release, Value vars) {
  size_t bytes = 0;
  for (const auto& [name, value] : vars.members()) bytes += name.size() + value.str().size();
  if (bytes > kMaxConfigBytes)
    co_return fail(Code::kInvalidArgument, "Config vars are larger than 64 KB together");
  auto stopped = co_await find_stopped(app, release.types);
  SKIFF_CO_RETURN_IF_ERROR(stopped);
  for (int attempt = 0; attempt < kReleaseAttempts; ++attempt) {
    auto made = co_await try_release(app, release, vars);
    SKIFF_CO_RETURN_IF_ERROR(made);
    if (!*made) continue;
    Release done = **made;
    Change change = [done](AppSpec& spec) { spec = with_release(std::move(spec), done); };
    auto changed = co_await change_app(app, std::move(change));
    SKIFF_CO_RETURN_IF_ERROR(changed);
    done.stopped = *stopped;
    if (*changed == Writing::kDone) done.written = Release::Written::kNow;
    co_return done;
  }
  co_return fail(Code::kConflict, "several releases of this app were made at once; try again");
}

// The dynos of process types that the present release has and the next one, of these `types`, has not.
io::Task<Result<std::map<std::string, int>>> Apps::find_stopped(std::string app,
                                                                std::map<std::string, std::string> types) {
  std::map<std::string, int> stopped;
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const AppSpec spec = parse_app_spec(*object);
  if (spec.release == 0) co_return stopped;
  auto present = co_await this->release(app, spec.release);
  SKIFF_CO_RETURN_IF_ERROR(present);
  for (const auto& [type, quantity] : formation_of(spec, *present)) {
    if (quantity > 0 && !types.contains(type)) stopped[type] = quantity;
  }
  co_return stopped;
}

// Nothing when another writer took the number.
io::Task<Result<std::optional<Release>>> Apps::try_release(std::string app, Release release, Value vars) {
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  release.version = all->empty() ? 1 : all->back().version + 1;
  // The secret first: a release never refers to config that is not there.
  auto secret = config_secret_manifest(app, release.version, vars);
  auto stored = co_await api_.create(secrets(app), std::move(secret));
  if (!stored && stored.error().code == Code::kAlreadyExists) {
    // Left by a platform that died between the secret and the release.
    auto removed = co_await api_.remove(secrets(app) + "/" + config_secret_name(release.version), nullptr);
    co_return std::optional<Release>();
  }
  SKIFF_CO_RETURN_IF_ERROR(stored);
  auto manifest = release_manifest(app, release);
  auto created = co_await api_.create(resources_path("releases", app), std::move(manifest));
  if (!created && created.error().code == Code::kAlreadyExists) co_return std::optional<Release>();
  SKIFF_CO_RETURN_IF_ERROR(created);
  co_return std::optional<Release>(parse_release(*created));
}

io::Task<Result<void>> Apps::end_half_made(std::string app) {
  co_await wait_for_turn(loop_, releasing_, app);
  const Turn turn(releasing_, app);
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const int current = parse_app_spec(*object).release;
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  for (const auto& release : *all) {
    const std::string phase = move_phase(release.phase, kFailed);
    if (release.version <= current || phase == release.phase) continue;
    Value status = Value::object(
        {{"phase", phase}, {"message", "Skiff was ended while it made this release; make it again"}});
    auto patch = Value::object({{"status", std::move(status)}});
    auto noted =
        co_await api_.patch(resource_path("releases", app, release_name(release.version)) + "/status",
                            kube::PatchType::kMerge, std::move(patch));
    SKIFF_CO_RETURN_IF_ERROR(noted);
  }
  co_return Result<void>{};
}

io::Task<Result<std::optional<Release>>> Apps::change_config(std::string app, Value changes) {
  if (changes.size() == 0) co_return fail(Code::kInvalidArgument, "no config var was named");
  co_await wait_for_turn(loop_, releasing_, app);
  const Turn turn(releasing_, app);
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const int current = parse_app_spec(*object).release;
  auto vars = co_await config_of(app, current);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto description = apply_changes(*vars, changes);
  SKIFF_CO_RETURN_IF_ERROR(description);
  if (description->empty()) co_return std::optional<Release>();
  Release next;
  if (current > 0) {
    auto base = co_await release(app, current);
    SKIFF_CO_RETURN_IF_ERROR(base);
    next = std::move(*base);
  }
  next.description = *description;
  auto made = co_await make_release(std::move(app), std::move(next), std::move(*vars));
  SKIFF_CO_RETURN_IF_ERROR(made);
  co_return std::optional<Release>(std::move(*made));
}

io::Task<Result<Release>> Apps::release_slug(std::string app, Slug slug) {
  co_await wait_for_turn(loop_, releasing_, app);
  const Turn turn(releasing_, app);
  auto vars = co_await config(app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  Release next;
  next.description = "Deploy " + slug.commit.substr(0, kShortCommit);
  next.image = slug.image;
  next.digest = slug.digest;
  next.commit = slug.commit;
  next.types = std::move(slug.types);
  auto made = co_await make_release(app, std::move(next), std::move(*vars));
  SKIFF_CO_RETURN_IF_ERROR(made);
  auto pruned = co_await prune_images(app);
  if (!pruned) log_warn("old images stay", {{"app", app}, {"error", pruned.error().message}});
  co_return made;
}

io::Task<Result<Release>> Apps::roll_back(std::string app, int version) {
  co_await wait_for_turn(loop_, releasing_, app);
  const Turn turn(releasing_, app);
  auto old = co_await release(app, version);
  SKIFF_CO_RETURN_IF_ERROR(old);
  if (old->image.empty()) {
    co_return fail(Code::kInvalidArgument,
                   fmt::format("release v{} has no build; roll back to a later one", version));
  }
  if (!has_app_image(images_, old->image)) {
    co_return fail(
        Code::kInvalidArgument,
        fmt::format("the build of release v{} is no longer kept; push that commit again", version));
  }
  auto vars = co_await config_of(app, version);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  old->description = fmt::format("Rollback to v{}", version);
  auto made = co_await make_release(std::move(app), std::move(*old), std::move(*vars));
  co_return made;
}

}  // namespace skiff::platform
