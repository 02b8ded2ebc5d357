#include "platform/apps/rollouts.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/strings.h"
#include "platform/apps/manifests.h"
#include "platform/resources/definitions.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr Duration kRetryPause = std::chrono::seconds(2);
constexpr int kShownLines =
    20;  // Node's words about a module that is missing take 15, and begin with its name
constexpr size_t kShownBytes = 8 << 10;

Value status_patch(Value status) {
  return Value::object({{"status", std::move(status)}});
}

}  // namespace

std::string clean_output(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t' || (byte >= 0x20 && byte != 0x7f)) out += c;
  }
  return out;
}

Rollouts::Rollouts(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps, kube::Informer& pods,
                   net::ClientOptions options)
    : loop_(loop),
      api_(api),
      apps_(apps),
      pods_(pods),
      objects_(loop, api, resources_path("apps")),
      deployments_(loop, api, "/apis/apps/v1/deployments", "labelSelector=" + url_encode(kProcessLabel)),
      log_client_(loop, network, std::move(options)),
      changed_(loop),
      scope_(loop) {
  const auto on_change = [this](const Value& before, const Value& after) {
    touch((after.is_null() ? before : after)["metadata"]["namespace"].str());
  };
  pods_.on_change(on_change);
  objects_.on_change(on_change);
  deployments_.on_change(on_change);
  const auto on_synced = [this] {
    for (const auto& app : objects_.list()) touch(app["metadata"]["name"].str());
  };
  pods_.on_synced(on_synced);
  objects_.on_synced([this, on_synced] {
    looked_.clear();  // the API was away: the making of a release may have failed in the middle
    on_synced();
  });
  deployments_.on_synced(on_synced);
}

void Rollouts::start() {
  objects_.start();
  deployments_.start();
}

void Rollouts::touch(const std::string& app) {
  // What is not known yet is not absent: nothing is decided before all of it was listed.
  if (!pods_.has_synced() || !objects_.has_synced() || !deployments_.has_synced()) return;
  if (going_.contains(app)) {
    again_.insert(app);
    return;
  }
  going_.insert(app);
  scope_.spawn(follow(this, app));
}

io::Task<void> Rollouts::follow(Rollouts* self, std::string app) {
  do {
    self->again_.erase(app);
    auto done = co_await self->reconcile(app);
    if (done) continue;
    if (done.error().code != Code::kNotFound) {
      log_warn("rollout is not recorded", {{"app", app}, {"error", done.error().message}});
      co_await io::sleep(self->loop_, kRetryPause);
      self->again_.insert(app);
    }
  } while (self->again_.contains(app));
  self->going_.erase(app);
}

io::Task<Result<void>> Rollouts::reconcile(std::string app) {
  const Value object = objects_.find(app, app);
  if (object.is_null()) {
    releases_.erase(app);
    ways_back_.erase(app);
    looked_.erase(app);
    states_.erase(app);
    changed_.set();
    co_return Result<void>{};
  }
  if (!looked_.contains(app)) {
    auto ended = co_await apps_.end_half_made(app);
    SKIFF_CO_RETURN_IF_ERROR(ended);
    looked_.insert(app);
  }
  const AppSpec spec = parse_app_spec(object);
  if (spec.release == 0) co_return Result<void>{};
  if (releases_[app].version != spec.release) {
    auto all = co_await apps_.releases(app);
    SKIFF_CO_RETURN_IF_ERROR(all);
    const std::string back = find_way_back(*all, spec.release);
    auto superseded = co_await supersede(app, spec.release, std::move(*all));
    SKIFF_CO_RETURN_IF_ERROR(superseded);
    auto release = co_await apps_.release(app, spec.release);
    SKIFF_CO_RETURN_IF_ERROR(release);
    releases_[app] = std::move(*release);
    ways_back_[app] = back;
  }
  const auto written = is_rolled_out(object) ? RolloutFacts::Written::kYes : RolloutFacts::Written::kNo;
  Rollout rollout = plan_rollout({spec, written, releases_[app], deployments_.list(app), pods_.list(app)});
  rollout = carry_on(releases_[app], states_[app], std::move(rollout));
  rollout.back = ways_back_[app];
  states_[app] = rollout;
  changed_.set();
  auto noted = co_await write(std::move(app), object, std::move(rollout));
  co_return noted;
}

io::Task<Result<void>> Rollouts::write(std::string app, Value object, Rollout rollout) {
  const std::string phase = move_phase(releases_[app].phase, rollout.phase);
  const std::string message = phase == kSucceeded ? "" : rollout.message;
  const std::string type = phase == kFailed ? rollout.type : "";
  if (phase != releases_[app].phase || message != releases_[app].message) {
    auto patch = status_patch(Value::object({{"phase", phase}, {"message", message}, {"failedType", type}}));
    auto noted =
        co_await api_.patch(resource_path("releases", app, release_name(rollout.version)) + "/status",
                            kube::PatchType::kMerge, std::move(patch));
    SKIFF_CO_RETURN_IF_ERROR(noted);
    releases_[app].phase = phase;
    releases_[app].message = message;
    releases_[app].failed_type = type;
  }
  const Value& status = object["status"];
  if (status["phase"].str() == rollout.phase && status["serving"].str() == rollout.serving &&
      status["message"].str() == rollout.message) {
    co_return Result<void>{};
  }
  auto patch = status_patch(
      Value::object({{"phase", rollout.phase}, {"serving", rollout.serving}, {"message", rollout.message}}));
  auto noted = co_await api_.patch(resource_path("apps", app, app) + "/status", kube::PatchType::kMerge,
                                   std::move(patch));
  SKIFF_CO_RETURN_IF_ERROR(noted);
  co_return Result<void>{};
}

// Releases before `version` that are not up by now.
io::Task<Result<void>> Rollouts::supersede(std::string app, int version, std::vector<Release> all) {
  for (const auto& release : all) {
    const std::string phase = move_phase(release.phase, kSuperseded);
    if (release.version >= version || phase == release.phase) continue;
    auto patch = status_patch(
        Value::object({{"phase", phase}, {"message", fmt::format("v{} came before it was up", version)}}));
    auto noted =
        co_await api_.patch(resource_path("releases", app, release_name(release.version)) + "/status",
                            kube::PatchType::kMerge, std::move(patch));
    SKIFF_CO_RETURN_IF_ERROR(noted);
  }
  co_return Result<void>{};
}

io::Task<Result<void>> Rollouts::wait_for_change(Rollouts* self) {
  self->changed_.reset();
  co_await self->changed_.wait();
  co_return Result<void>{};
}

io::Task<Result<Rollout>> Rollouts::wait(std::string app, int version, Duration limit) {
  const MonotonicTime begin = loop_.now();
  MonotonicTime cramped{};  // since when it needs room
  Rollout last;
  last.version = version;
  for (;;) {
    const MonotonicTime now = loop_.now();
    if (const auto found = states_.find(app); found != states_.end() && found->second.version >= version) {
      last = found->second;
      if (last.version > version) {
        last.phase = kSuperseded;
        last.message = fmt::format("{} came before it was up", release_name(last.version));
        last.version = version;
        co_return last;
      }
      if (last.phase != kPending || last.outlook == Rollout::Outlook::kNoDynos) co_return last;
    }
    const bool needs_room = last.outlook == Rollout::Outlook::kNeedsRoom;
    if (!needs_room) cramped = {};
    if (needs_room && cramped == MonotonicTime{}) cramped = now;
    const MonotonicTime end = needs_room ? std::min(begin + limit, cramped + kRoomPatience) : begin + limit;
    if (now >= end) co_return last;
    auto changed = co_await io::with_timeout(loop_, end - now, wait_for_change(this));
  }
}

io::Task<std::string> Rollouts::last_lines(std::string app, std::string pod) {
  net::Request request;
  request.target = fmt::format("/api/v1/namespaces/{}/pods/{}/log?tailLines={}&limitBytes={}", app, pod,
                               kShownLines, kShownBytes);
  auto answer = co_await log_client_.send(std::move(request));
  if (!answer || answer->status != 200) co_return std::string();
  co_return clean_output(answer->content());
}

}  // namespace skiff::platform
