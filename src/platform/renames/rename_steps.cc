// The steps of a rename: each can be taken again, whatever was done of it.
#include <fmt/core.h>

#include "base/log.h"
#include "base/strings.h"
#include "io/durable.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/images/layout_writer.h"
#include "platform/renames/renames.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

// Both names serve so long: the edge hears of the new dynos meanwhile, and visitors of the new address.
constexpr Duration kBothServe = std::chrono::seconds(1);
constexpr Duration kGonePause = std::chrono::milliseconds(200);         // between two looks for a namespace
constexpr Duration kDynoPause = std::chrono::milliseconds(200);         // between two looks at dynos
constexpr Duration kDynoTime = std::chrono::seconds(2 * kBootSeconds);  // as a push waits
constexpr Duration kRoomPatience = std::chrono::seconds(3);
constexpr size_t kShownForeign = 5;

std::string space_path(const std::string& name) {
  return "/api/v1/namespaces/" + name;
}

}  // namespace

io::Task<Result<void>> Renames::copy(std::string from) {
  const std::string to = going_[from].to, uid = going_[from].uid;
  auto space = co_await api_.get(space_path(to));
  auto app = co_await apps_.get(from);
  const bool gone = !app && app.error().code == Code::kNotFound;
  if (gone || (app && (*app)["metadata"]["uid"].str() != uid)) {
    give_up(from, from + " was destroyed");
    co_return Result<void>{};
  }
  SKIFF_CO_RETURN_IF_ERROR(app);
  const bool lost = !space && space.error().code == Code::kNotFound;
  if (lost || (space && (*space)["metadata"].contains("deletionTimestamp"))) {
    give_up(from, "the namespace " + to + " was deleted");
    co_return Result<void>{};
  }
  SKIFF_CO_RETURN_IF_ERROR(space);
  auto files = co_await io::run_blocking(loop_, [places = places_, from, to]() -> Result<void> {
    SKIFF_RETURN_IF_ERROR(remove_work_files(places, to));  // of an app of that name that is no more
    return copy_app_images(places.images, from, to);
  });
  SKIFF_CO_RETURN_IF_ERROR(files);
  auto copied = co_await copy_objects(*app, to);
  SKIFF_CO_RETURN_IF_ERROR(copied);
  const AppSpec spec = parse_app_spec(*app);
  auto obstacle = co_await wait_for_dynos(from, to, spec);
  SKIFF_CO_RETURN_IF_ERROR(obstacle);
  if (obstacle->empty()) {
    auto foreign = co_await check_foreign(from);
    if (!foreign && foreign.error().code != Code::kInvalidArgument) co_return foreign;
    if (!foreign) *obstacle = foreign.error().message;
  }
  if (!obstacle->empty()) {
    give_up(from, *obstacle);
    co_return Result<void>{};
  }
  // kubectl may have changed it meanwhile.
  auto now = co_await apps_.get(from);
  SKIFF_CO_RETURN_IF_ERROR(now);
  if ((*now)["metadata"]["generation"] != (*app)["metadata"]["generation"]) co_return Result<void>{};
  logs_.append(from, {loop_.wall_now(), "app", "api"}, fmt::format("Rename to {} by user skiff", to));
  going_[from].step = Step::kMoving;
  co_return Result<void>{};
}

io::Task<Result<std::string>> Renames::wait_for_dynos(std::string from, std::string to, AppSpec spec) {
  const MonotonicTime begin = loop_.now();
  MonotonicTime cramped{};  // since when they need room
  for (;;) {
    auto app = co_await apps_.get(to);
    SKIFF_CO_RETURN_IF_ERROR(app);
    const auto old_pods = watch_.pods(from), new_pods = watch_.pods(to);
    const Takeover found = old_pods && new_pods ? plan_takeover(spec, *old_pods, *new_pods) : Takeover{};
    if (found.state == Takeover::State::kReady && is_rolled_out(*app)) co_return std::string();
    if (found.state == Takeover::State::kFailed) co_return found.why;
    const MonotonicTime now = loop_.now();
    if (found.state != Takeover::State::kNoRoom)
      cramped = {};
    else if (cramped == MonotonicTime{})
      cramped = now;
    if (cramped != MonotonicTime{} && now - cramped > kRoomPatience) {
      co_return found.why + ": its dynos run twice for a moment; scale it down first";
    }
    if (now - begin > kDynoTime) {
      co_return found.why.empty() ? "its dynos were not ready in time" : found.why;
    }
    co_await io::sleep(loop_, kDynoPause);
  }
}

io::Task<Result<void>> Renames::move(std::string from) {
  const std::string to = going_[from].to;
  // From here on the app is `to`.
  auto patch = moved_patch();
  auto noted = co_await api_.patch(space_path(to), kube::PatchType::kMerge, std::move(patch));
  if (!noted && noted.error().code == Code::kNotFound) {
    // With its record: what is left is the old namespace, which nobody has begun to remove.
    give_up(from, "the namespace " + to + " was deleted");
    co_return Result<void>{};
  }
  SKIFF_CO_RETURN_IF_ERROR(noted);
  auto files = co_await io::run_blocking(
      loop_, [places = places_, from, to] { return rename_work_files(places, from, to); });
  SKIFF_CO_RETURN_IF_ERROR(files);
  logs_.rename(from, to);
  logs_.end_sharing(to);
  logs_.share(from, to);
  auto synced =
      co_await io::run_blocking(loop_, [path = places_.data + "/logs"] { return io::sync_path(path); });
  if (!synced)
    log_warn("an app's log may not survive a power cut", {{"app", to}, {"error", synced.error().message}});
  going_[from].step = Step::kRemoving;
  co_return Result<void>{};
}

io::Task<Result<void>> Renames::remove(std::string from) {
  const std::string to = going_[from].to;
  co_await io::sleep(loop_, kBothServe);
  // Visitors of the old address are told that there is no app, not that it has no dynos.
  auto unrouted = co_await api_.remove(
      fmt::format("/apis/networking.k8s.io/v1/namespaces/{}/ingresses/web", from), nullptr);
  if (!unrouted && unrouted.error().code != Code::kNotFound) co_return unrouted;
  auto removed = co_await remove_namespace(from);
  SKIFF_CO_RETURN_IF_ERROR(removed);
  logs_.end_sharing(from);
  auto patch = ended_patch();
  auto ended = co_await api_.patch(space_path(to), kube::PatchType::kMerge, std::move(patch));
  if (!ended && ended.error().code != Code::kNotFound) co_return std::unexpected(ended.error());
  end(from, {Outcome::State::kFree, ""});
  co_return Result<void>{};
}

io::Task<Result<void>> Renames::undo(std::string from) {
  const std::string to = going_[from].to, why = going_[from].why;
  auto space = co_await api_.get(space_path(to));
  if (!space && space.error().code != Code::kNotFound) co_return std::unexpected(space.error());
  // One that is not this rename's is not its to remove.
  const auto record = space ? parse_rename_record(*space) : std::nullopt;
  if (record && record->from == from) {
    auto removed = co_await remove_namespace(to);
    SKIFF_CO_RETURN_IF_ERROR(removed);
  }
  // Those that a platform moved which found the new namespace deleted after that.
  auto files = co_await io::run_blocking(
      loop_, [places = places_, from, to] { return rename_work_files(places, to, from); });
  SKIFF_CO_RETURN_IF_ERROR(files);
  logs_.end_sharing(to);
  logs_.append(from, {loop_.wall_now(), "app", "api"}, fmt::format("Rename to {} undone: {}", to, why));
  end(from, {Outcome::State::kUndone, why});
  co_return Result<void>{};
}

// With its images, which its pods may need up to their end.
io::Task<Result<void>> Renames::remove_namespace(std::string name) {
  auto removed = co_await api_.remove(space_path(name), nullptr);
  if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  for (;;) {
    auto space = co_await api_.get(space_path(name));
    if (!space && space.error().code == Code::kNotFound) break;
    SKIFF_CO_RETURN_IF_ERROR(space);
    co_await io::sleep(loop_, kGonePause);
  }
  auto cleared = co_await io::run_blocking(
      loop_, [images = places_.images, name] { return remove_app_images(images, name); });
  co_return cleared;
}

io::Task<Result<void>> Renames::check_foreign(std::string app) {
  struct Collection {
    const char* kind;
    const char* path;
  };
  static constexpr Collection kCollections[] = {
      {"Ingress", "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"},
      {"Service", "/api/v1/namespaces/{}/services"},
      {"Deployment", "/apis/apps/v1/namespaces/{}/deployments"},
      {"Pod", "/api/v1/namespaces/{}/pods"}};
  std::vector<std::string> foreign;
  for (const auto& collection : kCollections) {
    auto found = co_await api_.list(replace_all(collection.path, "{}", app), "");
    SKIFF_CO_RETURN_IF_ERROR(found);
    const auto names = find_foreign(collection.kind, (*found)["items"].items());
    foreign.insert(foreign.end(), names.begin(), names.end());
  }
  if (foreign.empty()) co_return Result<void>{};
  if (foreign.size() > kShownForeign) foreign.resize(kShownForeign);
  co_return fail(
      Code::kInvalidArgument,
      fmt::format("the namespace {} holds what Skiff did not make and a rename would lose: {}; move "
                  "it elsewhere first",
                  app, join(foreign, ", ")));
}

}  // namespace skiff::platform
