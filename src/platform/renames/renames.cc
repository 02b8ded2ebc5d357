#include "platform/renames/renames.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "io/sync.h"
#include "platform/apps/manifests.h"
#include "platform/apps/procfile.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr Duration kRetryPause = std::chrono::seconds(1);
constexpr Duration kLongestRetry = std::chrono::seconds(15);
// A rename that can't be carried out for so long is undone, so that the app can be changed again.
constexpr Duration kLongestTry = std::chrono::minutes(10);
constexpr Duration kWorkPatience = std::chrono::seconds(2);
constexpr Duration kLookPause = std::chrono::milliseconds(100);  // between two looks at an outcome
constexpr size_t kKeptOutcomes = 100;

std::unexpected<Error> being_renamed(const std::string& from, const std::string& to) {
  return fail(Code::kConflict,
              fmt::format("{} is being renamed to {}; try again when that is done", from, to));
}

}  // namespace

Renames::Renames(io::Loop& loop, kube::Client& api, Apps& apps, LogStore& logs, DiskPlaces places,
                 RenameWatch watch)
    : loop_(loop),
      api_(api),
      apps_(apps),
      logs_(logs),
      places_(std::move(places)),
      watch_(std::move(watch)),
      scope_(loop) {}

io::Task<Result<void>> Renames::start() {
  auto spaces = co_await api_.list("/api/v1/namespaces", "labelSelector=" + url_encode(kAppLabel));
  SKIFF_CO_RETURN_IF_ERROR(spaces);
  for (const auto& space : (*spaces)["items"].items()) {
    const auto record = parse_rename_record(space);
    if (!record) continue;
    log_info("an app's rename goes on", {{"from", record->from}, {"to", record->to}});
    take_up(*record);
    if (record->phase == RenameRecord::Phase::kMoved) {
      // Before anybody asks for its log or its repository.
      auto moved = co_await move(record->from);
      SKIFF_CO_RETURN_IF_ERROR(moved);
    } else if (space["metadata"].contains("deletionTimestamp")) {
      give_up(record->from, "Skiff was stopped while it was undone");
    }
    scope_.spawn(run(this, record->from));
  }
  co_return Result<void>{};
}

void Renames::take_up(const RenameRecord& record) {
  const bool moved = record.phase == RenameRecord::Phase::kMoved;
  going_[record.from] = {record.to, record.uid, moved ? Step::kMoving : Step::kCopying, loop_.now(), ""};
  if (!moved) logs_.share(record.to, record.from);
}

io::Task<Result<void>> Renames::begin(std::string from, std::string to) {
  auto named = check_app_name(to);
  SKIFF_CO_RETURN_IF_ERROR(named);
  if (from == to) co_return fail(Code::kInvalidArgument, fmt::format("{} is its name already", from));
  // A push that its pusher saw end may have a moment left.
  const MonotonicTime patience = loop_.now() + kWorkPatience;
  while (!watch_.work(from).empty() && loop_.now() < patience) co_await io::sleep(loop_, kLookPause);
  auto free = check(from, Use::kEnd);
  SKIFF_CO_RETURN_IF_ERROR(free);
  free = check_free(to);
  SKIFF_CO_RETURN_IF_ERROR(free);
  if (const auto work = watch_.work(from); !work.empty()) {
    co_return fail(Code::kConflict, fmt::format("{} is going on; rename the app when it has ended", work));
  }
  ended_.erase(std::pair(from, to));
  going_[from] = {to, "", Step::kClaiming, loop_.now(), ""};
  auto claimed = co_await claim(from, to);
  if (!claimed) {
    going_.erase(from);
    co_return claimed;
  }
  scope_.spawn(run(this, std::move(from)));
  co_return Result<void>{};
}

// An error when the name was not taken; when nobody knows whether it was, the rename is undone.
io::Task<Result<void>> Renames::claim(std::string from, std::string to) {
  co_await apps_.settle(from);
  auto app = co_await apps_.get(from);
  SKIFF_CO_RETURN_IF_ERROR(app);
  auto foreign = co_await check_foreign(from);
  SKIFF_CO_RETURN_IF_ERROR(foreign);
  const RenameRecord record{from, to, (*app)["metadata"]["uid"].str()};
  auto manifest = claiming_namespace(record);
  auto made = co_await api_.create("/api/v1/namespaces", std::move(manifest));
  if (!made && made.error().code == Code::kAlreadyExists) {
    auto space = co_await api_.get("/api/v1/namespaces/" + to);
    const bool going = space && (*space)["metadata"].contains("deletionTimestamp");
    co_return fail(Code::kAlreadyExists,
                   going ? fmt::format("{} is still being destroyed; try again in a moment", to)
                         : fmt::format("Name {} is already taken", to));
  }
  const bool refused =
      !made && (made.error().code == Code::kInvalidArgument || made.error().code == Code::kForbidden);
  if (refused) co_return std::unexpected(made.error());
  take_up(record);
  if (!made) give_up(from, "the Kubernetes API did not answer: " + made.error().message);
  co_return Result<void>{};
}

io::Task<void> Renames::run(Renames* self, std::string from) {
  Duration pause = kRetryPause;
  while (self->going_.contains(from)) {
    auto done = co_await self->advance(from);
    if (done) {
      pause = kRetryPause;
      continue;
    }
    log_warn("rename does not get on", {{"app", from}, {"error", done.error().message}});
    const Going& going = self->going_[from];
    if (going.step == Step::kCopying && self->loop_.now() - going.since > kLongestTry)
      self->give_up(from, done.error().message);
    co_await io::sleep(self->loop_, pause);
    pause = std::min(2 * pause, kLongestRetry);
  }
}

io::Task<Result<void>> Renames::advance(std::string from) {
  Result<void> done;
  switch (going_[from].step) {
    case Step::kClaiming:
    case Step::kCopying:
      done = co_await copy(std::move(from));
      break;
    case Step::kMoving:
      done = co_await move(std::move(from));
      break;
    case Step::kRemoving:
      done = co_await remove(std::move(from));
      break;
    case Step::kUndoing:
      done = co_await undo(std::move(from));
      break;
  }
  co_return done;
}

void Renames::give_up(const std::string& from, const std::string& why) {
  going_[from].step = Step::kUndoing;
  going_[from].why = why;
}

void Renames::end(const std::string& from, Outcome outcome) {
  const std::string to = going_[from].to;
  going_.erase(from);
  if (ended_.size() >= kKeptOutcomes) ended_.erase(ended_.begin());
  ended_[{from, to}] = std::move(outcome);
}

std::optional<std::string> Renames::find(const std::string& name) const {
  for (const auto& [from, going] : going_) {
    if (name == from || name == going.to) return from;
  }
  return std::nullopt;
}

Renames::Outcome Renames::outcome(const std::string& from, const std::string& to) const {
  using State = Outcome::State;
  if (const auto found = going_.find(from); found != going_.end() && found->second.to == to)
    return {found->second.step == Step::kRemoving ? State::kDone : State::kGoing, ""};
  const auto found = ended_.find({from, to});
  return found == ended_.end() ? Outcome{} : found->second;
}

io::Task<Renames::Outcome> Renames::wait(std::string from, std::string to, Duration limit) {
  using State = Outcome::State;
  const MonotonicTime end = loop_.now() + limit;
  Outcome now = outcome(from, to);
  while ((now.state == State::kGoing || now.state == State::kDone) && loop_.now() < end) {
    co_await io::sleep(loop_, kLookPause);
    now = outcome(from, to);
  }
  co_return now;
}

Result<void> Renames::check(const std::string& app, Use use) const {
  const auto from = find(app);
  if (!from) return {};
  const Going& going = going_.at(*from);
  // For the blink of an eye: nobody is told that there is none.
  if (going.step == Step::kMoving) {
    return fail(Code::kUnavailable, fmt::format("{} is just getting its new name, {}", *from, going.to));
  }
  if (hides(app)) return fail(Code::kNotFound, "Couldn't find that app.");
  const bool may_change = going.step == Step::kRemoving && use == Use::kChange;
  if (use == Use::kLook || may_change) return {};
  return being_renamed(*from, going.to);
}

bool Renames::hides(const std::string& name) const {
  const auto from = find(name);
  if (!from) return false;
  return going_.at(*from).step == Step::kRemoving ? name == *from : name != *from;
}

Result<void> Renames::check_free(const std::string& name) const {
  const auto from = find(name);
  if (!from) return {};
  return fail(Code::kAlreadyExists,
              fmt::format("Name {} is needed while {} is renamed to {}; try again when that is done", name,
                          *from, going_.at(*from).to));
}

io::Task<std::string> Renames::find_new_name(std::string name) {
  const auto from = find(name);
  if (from && *from == name) co_return going_.at(name).to;
  auto apps = co_await apps_.list();
  if (!apps) co_return "";
  for (const auto& app : *apps) {
    const std::string now = app["metadata"]["name"].str();
    const auto names = former_names(app);
    if (std::ranges::count(names, name) > 0 && !hides(now)) co_return now;
  }
  co_return "";
}

}  // namespace skiff::platform
