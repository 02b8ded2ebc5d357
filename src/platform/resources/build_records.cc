#include "platform/resources/build_records.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/utf8.h"
#include "io/file.h"
#include "io/sync.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr std::string_view kArrow = "-----> ";
constexpr std::string_view kDetected = " app detected";

bool is_pending(const Value& build) {
  return build["status"]["phase"].str_or("Pending") == "Pending";
}

int64_t seconds_between(const std::string& from, WallTime to) {
  const auto begin = parse_rfc3339(from);
  return begin ? std::chrono::duration_cast<std::chrono::seconds>(to - *begin).count() : 0;
}

}  // namespace

std::string build_output_address(const std::string& app, const std::string& id) {
  return fmt::format("/apps/{}/builds/{}", app, id);
}

void BuildText::add(std::string_view piece) {
  text_ += utf8_prefix(piece, kMaxBuildText - text_.size());
}

std::string BuildText::buildpack() const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const size_t end = rest.rfind('\n');
    const auto line = end == rest.npos ? rest : rest.substr(end + 1);
    rest = rest.substr(0, end == rest.npos ? 0 : end);
    const size_t arrow = line.find(kArrow), detected = line.rfind(kDetected);
    if (arrow == line.npos || detected == line.npos || arrow + kArrow.size() > detected) continue;
    const size_t begin = arrow + kArrow.size();
    return std::string(line.substr(begin, detected - begin));
  }
  return "";
}

std::string BuildRecords::output_path(const std::string& app, const std::string& id) const {
  return fmt::format("{}/{}/{}.txt", folder_, app, id);
}

std::string BuildRecords::output(const std::string& app, const std::string& id) const {
  return io::read_file(output_path(app, id), kMaxBuildText).value_or("");
}

io::Task<Result<void>> BuildRecords::start() {
  auto found = co_await api_.list(resources_path("builds"), "");
  SKIFF_CO_RETURN_IF_ERROR(found);
  for (const auto& build : (*found)["items"].items()) {
    if (!is_pending(build)) continue;
    Value status = build["status"];
    status.set("phase", "Failed");
    status.set("finishedAt", format_rfc3339(loop_.wall_now()));
    status.set("message", "the platform was restarted during this build; push again");
    co_await write_status(build["metadata"]["namespace"].str(), build["metadata"]["name"].str(),
                          std::move(status));
  }
  co_return Result<void>{};
}

io::Task<Result<void>> BuildRecords::begin(std::string app, std::string id, std::string commit) {
  auto build = make_resource("Build", app, id, Value::object({{"commit", commit}}));
  auto created = co_await api_.create(resources_path("builds", app), std::move(build));
  SKIFF_CO_RETURN_IF_ERROR(created);
  Value status = Value::object({{"phase", "Pending"}, {"startedAt", format_rfc3339(loop_.wall_now())}});
  co_await write_status(app, id, std::move(status));
  auto pruned = co_await prune(app);
  co_return pruned;
}

io::Task<void> BuildRecords::end(std::string app, std::string id, const Result<Release>& outcome,
                                 const BuildText& text, const BuildDetails& details) {
  const std::string path = output_path(app, id);
  auto written = co_await io::run_blocking(
      loop_, [path, folder = folder_ + "/" + app, all = text.text()]() -> Result<void> {
        SKIFF_RETURN_IF_ERROR(io::make_directories(folder));
        return io::write_file_atomic(path, all);
      });
  if (!written) log_warn("output of a build is lost", {{"build", id}, {"error", written.error().message}});
  // Its beginning, when it can be asked for; its end is written all the same.
  auto build = co_await api_.get(resource_path("builds", app, id));
  if (!build && build.error().code == Code::kNotFound) co_return;
  const WallTime now = loop_.wall_now();
  Value status = build && (*build)["status"].is_object() ? (*build)["status"] : Value::object();
  status.set("phase", outcome ? "Succeeded" : "Failed");
  status.set("finishedAt", format_rfc3339(now));
  if (build) status.set("durationSeconds", seconds_between(status["startedAt"].str(), now));
  status.set("output", build_output_address(app, id));
  if (auto buildpack = text.buildpack(); !buildpack.empty()) status.set("buildpack", buildpack);
  if (!details.phases.empty()) status.set("phases", encode_phases(details.phases));
  if (!details.report.empty()) status.set("report", encode_report(details.report));
  if (outcome) status.set("release", outcome->version);
  if (!outcome) status.set("message", outcome.error().message);
  co_await write_status(app, id, std::move(status));
}

void BuildRecords::cancel(const std::string& app, const std::string& id, const BuildText& text,
                          const BuildDetails& details) {
  scope_.spawn(end_cancelled(this, app, id, text, details));
}

io::Task<void> BuildRecords::end_cancelled(BuildRecords* self, std::string app, std::string id,
                                           BuildText text, BuildDetails details) {
  const Result<Release> outcome = fail(Code::kCancelled, "the push was cancelled");
  co_await self->end(std::move(app), std::move(id), outcome, text, details);
}

io::Task<void> BuildRecords::write_status(std::string app, std::string id, Value status) {
  Value patch = Value::object({{"status", std::move(status)}});
  auto written = co_await api_.patch(resource_path("builds", app, id) + "/status", kube::PatchType::kMerge,
                                     std::move(patch));
  if (!written) log_warn("build is not recorded", {{"build", id}, {"error", written.error().message}});
}

io::Task<Result<std::vector<Value>>> BuildRecords::list(std::string app) {
  auto found = co_await api_.list(resources_path("builds", app), "");
  SKIFF_CO_RETURN_IF_ERROR(found);
  std::vector<Value> builds = (*found)["items"].items();
  std::sort(builds.begin(), builds.end(),
            [](const Value& a, const Value& b) { return created_at(a) > created_at(b); });
  co_return builds;
}

io::Task<Result<void>> BuildRecords::prune(std::string app) {
  auto builds = co_await list(app);
  SKIFF_CO_RETURN_IF_ERROR(builds);
  for (size_t i = kKeptBuilds; i < builds->size(); ++i) {
    if (is_pending((*builds)[i])) continue;
    const std::string id = (*builds)[i]["metadata"]["name"].str();
    auto removed = co_await api_.remove(resource_path("builds", app, id), nullptr);
    SKIFF_CO_RETURN_IF_ERROR(removed);
    ::unlink(output_path(app, id).c_str());
  }
  co_return Result<void>{};
}

}  // namespace skiff::platform
