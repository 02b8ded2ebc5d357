// From an App to what Kubernetes runs.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "platform/apps/apps.h"
#include "platform/apps/manifests.h"
#include "platform/apps/turn.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr Duration kRollOutRetry = std::chrono::seconds(2);
constexpr Duration kLongestRetry = std::chrono::seconds(30);

std::string deployments(const std::string& app) {
  return fmt::format("/apis/apps/v1/namespaces/{}/deployments", app);
}

}  // namespace

io::Task<void> Apps::follow_apps(Apps* self) {
  co_await self->api_.follow(resources_path("apps"), "", [self](const kube::ObjectChange& change) {
    const std::string name = change.object["metadata"]["name"].str();
    const bool ours = name == change.object["metadata"]["namespace"].str();
    if (change.kind != kube::ObjectChange::Kind::kUpsert || !ours || is_rolled_out(change.object)) return;
    self->scope_.spawn(roll_out_later(self, name));
  });
}

// Until it is done, or the app gone. A change always has a try of its own, only one task waits for the next.
io::Task<void> Apps::roll_out_later(Apps* self, std::string app) {
  auto done = co_await self->roll_out(app);
  if (done || self->retrying_.contains(app)) co_return;
  const Turn turn(self->retrying_, app);
  for (Duration pause = kRollOutRetry; !done && done.error().code != Code::kNotFound;
       pause = std::min(2 * pause, kLongestRetry)) {
    log_warn("app is not rolled out", {{"app", app}, {"error", done.error().message}});
    co_await io::sleep(self->loop_, pause);
    done = co_await self->roll_out(app);
  }
}

io::Task<Result<void>> Apps::roll_out(std::string app) {
  co_await wait_for_turn(loop_, rolling_out_, app);
  const Turn turn(rolling_out_, app);
  auto object = co_await get(app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  const AppSpec spec = parse_app_spec(*object);
  // An App without a release is being created.
  if (is_rolled_out(*object) || spec.release == 0) co_return Result<void>{};
  auto current = co_await release(app, spec.release);
  SKIFF_CO_RETURN_IF_ERROR(current);
  auto routed = co_await write_routes(app, spec, *current);
  SKIFF_CO_RETURN_IF_ERROR(routed);
  auto deployed = co_await write_deployments(app, spec, *current);
  SKIFF_CO_RETURN_IF_ERROR(deployed);
  auto noted = co_await note_rolled_out(app, std::move(*object), std::move(*current));
  co_return noted;
}

io::Task<Result<void>> Apps::write_routes(std::string app, AppSpec spec, Release release) {
  auto service = service_manifest(app);
  auto served = co_await apply(fmt::format("/api/v1/namespaces/{}/services", app), "web", std::move(service));
  SKIFF_CO_RETURN_IF_ERROR(served);
  auto ingress = ingress_manifest(
      {app, domain_, spec.maintenance, release.image.empty() ? Content::kBlank : Content::kBuilt});
  auto routed = co_await apply(fmt::format("/apis/networking.k8s.io/v1/namespaces/{}/ingresses", app), "web",
                               std::move(ingress));
  co_return routed;
}

io::Task<Result<void>> Apps::write_deployments(std::string app, AppSpec spec, Release release) {
  if (release.image.empty()) co_return Result<void>{};
  const ReleaseFacts facts{app, release.version, release.image, config_secret_name(release.version)};
  for (const auto& [type, command] : release.types) {
    auto manifest = deployment_manifest(facts, type, command, spec.formation[type]);
    auto applied = co_await apply(deployments(app), type, std::move(manifest));
    SKIFF_CO_RETURN_IF_ERROR(applied);
  }
  // An app of a version before gets its level when its Deployments keep to it.
  auto level = namespace_manifest(app);
  auto secured = co_await api_.patch("/api/v1/namespaces/" + app, kube::PatchType::kMerge, std::move(level));
  SKIFF_CO_RETURN_IF_ERROR(secured);
  auto existing = co_await api_.list(deployments(app), "labelSelector=" + url_encode(kProcessLabel));
  SKIFF_CO_RETURN_IF_ERROR(existing);
  for (const auto& item : (*existing)["items"].items()) {
    const std::string type = item["metadata"]["name"].str();
    if (release.types.contains(type)) continue;
    auto removed = co_await api_.remove(deployments(app) + "/" + type, nullptr);
    if (!removed && removed.error().code != Code::kNotFound) co_return removed;
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Apps::note_rolled_out(std::string app, Value object, Release release) {
  Value status = Value::object({{"observedGeneration", object["metadata"]["generation"]},
                                {"release", release.version},
                                {"url", web_url(app)}});
  Value patch = Value::object({{"status", std::move(status)}});
  auto noted = co_await api_.patch(resource_path("apps", app, app) + "/status", kube::PatchType::kMerge,
                                   std::move(patch));
  SKIFF_CO_RETURN_IF_ERROR(noted);
  co_return Result<void>{};
}

io::Task<Result<void>> Apps::apply(std::string collection, std::string name, Value object) {
  auto created = co_await api_.create(collection, object);
  if (created) co_return Result<void>{};
  if (created.error().code != Code::kAlreadyExists) co_return std::unexpected(created.error());
  auto patched = co_await api_.patch(collection + "/" + name, kube::PatchType::kMerge, std::move(object));
  SKIFF_CO_RETURN_IF_ERROR(patched);
  co_return Result<void>{};
}

}  // namespace skiff::platform
