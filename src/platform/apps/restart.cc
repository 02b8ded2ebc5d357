// Dynos are started anew, or ended.
#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "platform/apps/apps.h"
#include "platform/apps/manifests.h"
#include "platform/dynos/dyno_trouble.h"

namespace skiff::platform {

namespace {

using json::Value;

// A template that differs is rolled out; this is the annotation that `kubectl rollout restart` writes.
Value restart_patch(WallTime now) {
  const Value annotations = Value::object({{"kubectl.kubernetes.io/restartedAt", format_rfc3339(now)}});
  return Value::object(
      {{"spec",
        Value::object(
            {{"template", Value::object({{"metadata", Value::object({{"annotations", annotations}})}})}})}});
}

}  // namespace

io::Task<Result<void>> Apps::restart(std::string app, std::string which) {
  auto processes = co_await formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  bool found = which.empty();
  for (const auto& process : *processes) {
    if (!which.empty() && process.type != which) continue;
    found = true;
    auto patch = restart_patch(loop_.wall_now());
    auto restarted =
        co_await api_.patch(fmt::format("/apis/apps/v1/namespaces/{}/deployments/{}", app, process.type),
                            kube::PatchType::kMerge, std::move(patch));
    // An app without a build has none yet.
    if (!restarted && restarted.error().code != Code::kNotFound) co_return std::unexpected(restarted.error());
  }
  if (found) co_return Result<void>{};
  auto ended = co_await stop(std::move(app), std::move(which));
  co_return ended;
}

io::Task<Result<void>> Apps::stop(std::string app, std::string which) {
  auto processes = co_await formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  bool found = std::ranges::any_of(*processes, [&](const Process& process) { return process.type == which; });
  auto dynos = co_await pods(app);
  SKIFF_CO_RETURN_IF_ERROR(dynos);
  for (const auto& pod : *dynos) {
    if (name_of_dyno(pod) != which && pod["metadata"]["labels"][kProcessLabel].str() != which) continue;
    auto removed = co_await api_.remove(
        fmt::format("/api/v1/namespaces/{}/pods/{}", app, pod["metadata"]["name"].str()), nullptr);
    if (!removed && removed.error().code != Code::kNotFound) co_return removed;
    found = true;
  }
  if (found) co_return Result<void>{};
  co_return fail(Code::kNotFound, fmt::format("There is no dyno and no process type \"{}\"; `skiff ps -a {}` "
                                              "lists them",
                                              which, app));
}

}  // namespace skiff::platform
