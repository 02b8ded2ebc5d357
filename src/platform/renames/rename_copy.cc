// An app's objects, written anew under its new name: what is there already is right, since releases, their
// config and builds do not change while the app is renamed.
#include <fmt/core.h>

#include "platform/renames/renames.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

using json::Value;

// The App at last: what follows from it is rolled out as soon as it is there.
io::Task<Result<void>> Renames::copy_objects(Value app, std::string to) {
  const std::string from = app["metadata"]["name"].str();
  auto copied = co_await copy_config(from, to);
  SKIFF_CO_RETURN_IF_ERROR(copied);
  copied = co_await copy_kind("releases", "Release", from, to);
  SKIFF_CO_RETURN_IF_ERROR(copied);
  copied = co_await copy_kind("builds", "Build", from, to);
  SKIFF_CO_RETURN_IF_ERROR(copied);
  copied = co_await copy_app(std::move(app), std::move(to));
  co_return copied;
}

io::Task<Result<void>> Renames::copy_config(std::string from, std::string to) {
  auto releases = co_await apps_.releases(from);
  SKIFF_CO_RETURN_IF_ERROR(releases);
  for (const auto& release : *releases) {
    auto secret = co_await api_.get(
        fmt::format("/api/v1/namespaces/{}/secrets/{}", from, config_secret_name(release.version)));
    // Somebody removed it with kubectl: that release can't be rolled back to, here as there.
    if (!secret && secret.error().code == Code::kNotFound) continue;
    SKIFF_CO_RETURN_IF_ERROR(secret);
    auto copied = copy_secret(*secret, to);
    auto made = co_await api_.create(fmt::format("/api/v1/namespaces/{}/secrets", to), std::move(copied));
    if (!made && made.error().code != Code::kAlreadyExists) co_return std::unexpected(made.error());
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Renames::copy_kind(std::string plural, std::string kind, std::string from,
                                          std::string to) {
  auto found = co_await api_.list(resources_path(plural, from), "");
  SKIFF_CO_RETURN_IF_ERROR(found);
  for (const auto& object : (*found)["items"].items()) {
    auto copied = copy_object(kind, object, from, to);
    auto made = co_await api_.create(resources_path(plural, to), std::move(copied));
    if (!made && made.error().code != Code::kAlreadyExists) co_return std::unexpected(made.error());
    auto status = copy_status(kind, object, to);
    if (status.empty()) continue;
    auto patch = Value::object({{"status", std::move(status)}});
    auto noted = co_await api_.patch(resource_path(plural, to, object["metadata"]["name"].str()) + "/status",
                                     kube::PatchType::kMerge, std::move(patch));
    SKIFF_CO_RETURN_IF_ERROR(noted);
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Renames::copy_app(Value app, std::string to) {
  const std::string from = app["metadata"]["name"].str();
  auto copied = copy_object("App", app, from, to);
  auto made = co_await api_.create(resources_path("apps", to), copied);
  if (made || made.error().code != Code::kAlreadyExists) {
    SKIFF_CO_RETURN_IF_ERROR(made);
    co_return Result<void>{};
  }
  auto updated =
      co_await api_.patch(resource_path("apps", to, to), kube::PatchType::kMerge, std::move(copied));
  SKIFF_CO_RETURN_IF_ERROR(updated);
  co_return Result<void>{};
}

}  // namespace skiff::platform
