#include "control/shared/applier.h"

#include <map>

#include "io/sync.h"

namespace skiff::control {

namespace {

std::string object_path(const std::string& path) {
  constexpr std::string_view kStatus = "/status";
  return path.ends_with(kStatus) ? path.substr(0, path.size() - kStatus.size()) : path;
}

struct Outcome {
  std::optional<Error> error;
  Value object;
};

Outcome outcome_of(Result<Value> result) {
  if (!result) return {std::move(result).error(), {}};
  return {std::nullopt, std::move(*result)};
}

Outcome check_confirmed(const Action& action, Result<Value> result) {
  if (!result) return {std::move(result).error(), {}};
  if (uid_of(*result) != action.body.str() || is_deleting(*result)) {
    return {Error{Code::kConflict, action.path + " was replaced or is being deleted", nullptr}, {}};
  }
  return {};
}

io::Task<Outcome> apply_one(kube::Client& client, EventRecorder& events, Action action) {
  using Verb = Action::Verb;
  if (action.verb == Verb::kCreate) {
    auto result = co_await client.create(action.path, action.body);
    co_return outcome_of(std::move(result));
  }
  if (action.verb == Verb::kUpdate) {
    auto result = co_await client.update(action.path, action.body);
    co_return outcome_of(std::move(result));
  }
  if (action.verb == Verb::kPatch) {
    auto result = co_await client.patch(action.path, action.patch, action.body);
    co_return outcome_of(std::move(result));
  }
  if (action.verb == Verb::kConfirm) {
    auto result = co_await client.get(action.path);
    co_return check_confirmed(action, std::move(result));
  }
  if (action.verb == Verb::kDelete) {
    auto result = co_await client.remove(action.path, action.body);
    Outcome outcome;
    if (!result && result.error().code != Code::kNotFound) outcome.error = result.error();
    co_return outcome;
  }
  events.record(action.body, action.type, action.reason, action.message);
  co_return Outcome{};
}

struct Batch {
  Batch(io::Loop& loop, size_t size) : results(size), left(size), done(loop), scope(loop) {}
  std::vector<std::optional<Error>> results;
  size_t left;
  io::Event done;
  io::TaskScope scope;
};

io::Task<void> run_in_batch(kube::Client& client, EventRecorder& events, Action action, Batch* batch,
                            size_t index) {
  auto outcome = co_await apply_one(client, events, std::move(action));
  batch->results[index] = std::move(outcome.error);
  if (--batch->left == 0) batch->done.set();
}

}  // namespace

io::Task<Applied> apply_all(kube::Client& client, EventRecorder& events, std::vector<Action> actions) {
  Applied applied;
  std::map<std::string, Value> versions;
  for (auto& action : actions) {
    const auto path = object_path(action.path);
    const bool writes = action.verb == Action::Verb::kUpdate || action.verb == Action::Verb::kPatch;
    if (action.verb == Action::Verb::kUpdate && versions.contains(path)) {
      action.body.edit("metadata").set("resourceVersion", versions[path]);
    }
    auto outcome = co_await apply_one(client, events, action);
    if (outcome.error) {
      applied.error = std::move(outcome.error);
      co_return applied;
    }
    if (writes) versions[path] = outcome.object["metadata"]["resourceVersion"];
    ++applied.done;
  }
  co_return applied;
}

io::Task<std::vector<std::optional<Error>>> apply_parallel(io::Loop& loop, kube::Client& client,
                                                           EventRecorder& events,
                                                           std::vector<Action> actions) {
  if (actions.empty()) co_return std::vector<std::optional<Error>>{};
  auto batch = std::make_unique<Batch>(loop, actions.size());
  for (size_t i = 0; i < actions.size(); ++i) {
    batch->scope.spawn(run_in_batch(client, events, std::move(actions[i]), batch.get(), i));
  }
  co_await batch->done.wait();
  co_return std::move(batch->results);
}

}  // namespace skiff::control
