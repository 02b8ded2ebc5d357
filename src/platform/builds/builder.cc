#include "platform/builds/builder.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "platform/apps/procfile.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr Duration kPodPoll = std::chrono::milliseconds(50);
constexpr Duration kPodStart = std::chrono::minutes(3);
constexpr Duration kPodEnd = std::chrono::minutes(16);  // past the pod's own deadline
constexpr Duration kTarTime = std::chrono::minutes(5);
constexpr off_t kMaxSlugBytes = 500LL << 20;
constexpr size_t kKeptImages = 10;
constexpr int kFirstError = 400;

std::string pod_path(const std::string& app, const std::string& id) {
  return fmt::format("/api/v1/namespaces/{}/pods/build-{}", app, id);
}

std::string why_failed(const Value& pod) {
  const auto& status = pod["status"];
  if (status["reason"].str() == "DeadlineExceeded")
    return "the build took longer than 15 minutes and was stopped";
  const auto& ended = status["containerStatuses"].at(0)["state"]["terminated"];
  if (ended["reason"].str() == "OOMKilled") return "the build used more than 3 GiB of memory and was stopped";
  if (ended.is_object()) return fmt::format("the build ended with exit code {}", ended["exitCode"].as_int());
  return "the build could not start: " + status["message"].str_or("see kubectl describe pod");
}

}  // namespace

Builder::Builder(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps, BuilderOptions options)
    : loop_(loop),
      api_(api),
      apps_(apps),
      options_(std::move(options)),
      log_client_(loop, network, options_.api) {}

io::Task<Result<Release>> Builder::build(std::string app, std::string id, std::string commit, Output output) {
  auto vars = co_await apps_.config(app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  auto environment = co_await write_environment(id, *vars);
  SKIFF_CO_RETURN_IF_ERROR(environment);
  auto ran = co_await run_pod(app, id, output);
  auto removed = co_await api_.remove(pod_path(app, id), Value::object({{"gracePeriodSeconds", 0}}));
  if (!removed) log_warn("build pod stays", {{"pod", "build-" + id}, {"error", removed.error().message}});
  SKIFF_CO_RETURN_IF_ERROR(ran);
  auto slug = co_await make_image(app, id, commit);
  SKIFF_CO_RETURN_IF_ERROR(slug);
  for (const auto& [type, command] : slug->types) output(fmt::format("       {}: {}\n", type, command));
  output("-----> Launching...\n");
  auto release = co_await apps_.release_slug(std::move(app), std::move(*slug));
  co_return release;
}

// The config vars as files, as classic buildpacks read them.
io::Task<Result<void>> Builder::write_environment(std::string id, Value vars) {
  const std::string folder = build_folder(id) + "/env";
  auto made = io::make_directories(folder);
  SKIFF_CO_RETURN_IF_ERROR(made);
  for (const auto& [name, value] : vars.members()) {
    auto written = io::write_file_atomic(folder + "/" + name, value.str());
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  auto out = io::make_directories(build_folder(id) + "/out");
  co_return out;
}

io::Task<Result<std::string>> Builder::wait_for_pod(std::string path, std::vector<std::string> phases) {
  for (;;) {
    auto pod = co_await api_.get(path);
    SKIFF_CO_RETURN_IF_ERROR(pod);
    const std::string phase = (*pod)["status"]["phase"].str();
    if (std::find(phases.begin(), phases.end(), phase) != phases.end()) co_return phase;
    co_await io::sleep(loop_, kPodPoll);
  }
}

io::Task<Result<void>> Builder::follow_log(std::string log_path, Output output) {
  net::Request request;
  request.target = std::move(log_path);
  auto stream = co_await log_client_.open(std::move(request));
  SKIFF_CO_RETURN_IF_ERROR(stream);
  if ((*stream)->head().status >= kFirstError)
    co_return fail(Code::kUnavailable, "the build's log is not available");
  for (;;) {
    auto piece = co_await (*stream)->body().read_some();
    SKIFF_CO_RETURN_IF_ERROR(piece);
    if (piece->empty()) co_return Result<void>{};
    output(*piece);
  }
}

io::Task<Result<void>> Builder::run_pod(std::string app, std::string id, Output output) {
  auto cache = io::make_directories(options_.data + "/cache/" + app);
  SKIFF_CO_RETURN_IF_ERROR(cache);
  auto manifest = build_pod_manifest(app, id, options_, host_proxies());
  auto created = co_await api_.create(fmt::format("/api/v1/namespaces/{}/pods", app), std::move(manifest));
  SKIFF_CO_RETURN_IF_ERROR(created);
  const std::string path = pod_path(app, id);
  std::vector<std::string> begun = {"Running", "Succeeded", "Failed"};
  auto starting = wait_for_pod(path, std::move(begun));
  auto started = co_await io::with_timeout(loop_, kPodStart, std::move(starting));
  if (!started) co_return wrap(started.error(), "start the build");
  auto followed = co_await follow_log(path + "/log?follow=true&container=build", output);
  if (!followed) log_warn("build log ended early", {{"build", id}, {"error", followed.error().message}});
  std::vector<std::string> ended = {"Succeeded", "Failed"};
  auto ending = wait_for_pod(path, std::move(ended));
  auto phase = co_await io::with_timeout(loop_, kPodEnd, std::move(ending));
  if (!phase) co_return wrap(phase.error(), "wait for the build");
  if (*phase == "Succeeded") co_return Result<void>{};
  auto pod = co_await api_.get(path);
  SKIFF_CO_RETURN_IF_ERROR(pod);
  co_return fail(Code::kInvalidArgument, why_failed(*pod));
}

io::Task<Result<Slug>> Builder::make_image(std::string app, std::string id, std::string commit) {
  const std::string out = build_folder(id) + "/out";
  auto procfile = io::read_file(out + "/Procfile", kMaxProcfileBytes);
  if (!procfile)
    co_return fail(Code::kInvalidArgument, "the app has no Procfile and its buildpack names no process type");
  auto types = parse_procfile(*procfile);
  SKIFF_CO_RETURN_IF_ERROR(types);
  if (types->empty())
    co_return fail(Code::kInvalidArgument, "the Procfile names no process type; add a line \"web: COMMAND\"");
  struct stat info{};
  const std::string tar = out + "/slug.tar";
  if (::stat(tar.c_str(), &info) != 0) co_return fail(Code::kInternal, "the build left no slug");
  if (info.st_size > kMaxSlugBytes) {
    co_return fail(
        Code::kResourceExhausted,
        fmt::format("the compiled app is {} MB, more than 500 MB; add a .slugignore", info.st_size >> 20));
  }
  io::CommandOptions command;
  command.timeout = kTarTime;
  auto digest = co_await io::run_command(loop_, {"sha256sum", tar}, std::move(command));
  SKIFF_CO_RETURN_IF_ERROR(digest);
  if (!digest->status.ok()) co_return fail(Code::kInternal, "sha256sum: " + digest->err);
  AppImage image{options_.images, app, id, tar, "sha256:" + digest->out.substr(0, 64)};
  auto written = co_await io::run_blocking(loop_, [image] { return write_app_image(image); });
  SKIFF_CO_RETURN_IF_ERROR(written);
  auto pruned = co_await io::run_blocking(
      loop_, [images = options_.images, app] { return prune_app_images(images, app, kKeptImages); });
  if (!pruned) log_warn("old images stay", {{"app", app}, {"error", pruned.error().message}});
  co_return Slug{"skiff.local/" + app + ":" + id, std::move(commit), std::move(*types)};
}

}  // namespace skiff::platform
