// What a destroyed app leaves outside its namespace: its images, a build that goes on.
#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"
#include "platform/apps/apps.h"
#include "platform/apps/manifests.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

namespace {

constexpr Duration kGonePause = std::chrono::seconds(2);  // between two looks for the namespace
// How long the one who destroys an app waits for its name: below the 30 seconds that the edge gives an
// answer.
constexpr Duration kLongestWait = std::chrono::seconds(25);
constexpr Duration kShortPause = std::chrono::milliseconds(100);

bool is_deleted(const json::Value& space) {
  return space["metadata"].contains("deletionTimestamp");
}

}  // namespace

io::Task<Result<void>> Apps::remove_images(std::string app) {
  auto removed = co_await io::run_blocking(
      loop_, [images = images_, app = std::move(app)] { return remove_app_images(images, app); });
  co_return removed;
}

io::Task<void> Apps::wait_until_gone(std::string app) {
  const MonotonicTime limit = loop_.now() + kLongestWait;
  while (loop_.now() < limit) {
    auto space = co_await api_.get("/api/v1/namespaces/" + app);
    if (!space && space.error().code == Code::kNotFound) co_return;
    co_await io::sleep(loop_, kShortPause);
  }
}

// Pods may need their image up to their end: the namespace goes after the last of them. One that is there
// anew has another owner.
io::Task<void> Apps::remove_images_later(Apps* self, std::string app) {
  for (;;) {
    auto space = co_await self->api_.get("/api/v1/namespaces/" + app);
    if (space && !is_deleted(*space)) co_return;
    if (!space && space.error().code == Code::kNotFound) break;
    co_await io::sleep(self->loop_, kGonePause);
  }
  auto removed = co_await self->remove_images(app);
  if (!removed) log_warn("images stay", {{"app", app}, {"error", removed.error().message}});
}

// A build goes on outside of its app's namespace.
io::Task<void> Apps::stop_builds(Apps* self, std::string app) {
  const std::string path = std::string("/api/v1/namespaces/") + kBuildsNamespace + "/pods";
  const std::string query = "labelSelector=" + url_encode(std::string(kAppLabel) + "=" + app);
  auto pods = co_await self->api_.list(path, query);
  if (!pods) {
    log_warn("builds of a destroyed app go on", {{"app", app}, {"error", pods.error().message}});
    co_return;
  }
  for (const auto& pod : (*pods)["items"].items()) {
    const std::string name = pod["metadata"]["name"].str();
    auto removed = co_await self->api_.remove(path + "/" + name, nullptr);
    if (!removed)
      log_warn("a destroyed app's build stays", {{"pod", name}, {"error", removed.error().message}});
  }
}

// Of apps whose namespace was going when the platform before this one ended.
io::Task<void> Apps::remove_left_images(Apps* self) {
  const std::string query = "labelSelector=" + url_encode(kAppLabel);
  auto spaces = co_await self->api_.list("/api/v1/namespaces", query);
  while (!spaces) {
    log_warn("namespaces can't be listed", {{"error", spaces.error().message}});
    co_await io::sleep(self->loop_, kGonePause);
    spaces = co_await self->api_.list("/api/v1/namespaces", query);
  }
  for (const auto& space : (*spaces)["items"].items()) {
    if (is_deleted(space)) self->scope_.spawn(remove_images_later(self, space["metadata"]["name"].str()));
  }
}

}  // namespace skiff::platform
