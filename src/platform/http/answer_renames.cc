// An app gets another name.
#include <fmt/core.h>

#include "platform/http/api.h"
#include "platform/http/errors.h"

namespace skiff::platform {

using json::Value;

namespace {

// Of one request about a rename: well below the 30 s in which the edge wants an answer.
constexpr Duration kLongestAnswer = std::chrono::seconds(10);

const char* name_of(Renames::Outcome::State state) {
  using State = Renames::Outcome::State;
  switch (state) {
    case State::kGoing:
      return "pending";
    case State::kDone:
    case State::kFree:
      return "succeeded";
    case State::kUndone:
      return "undone";
    case State::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace

// The app under its new name, or 202 and the app as it is when that takes longer.
io::Task<Api::Answer> Api::rename(std::string app, std::string name) {
  auto begun = co_await renames_.begin(app, name);
  SKIFF_CO_RETURN_IF_ERROR(begun);
  const auto outcome = co_await renames_.wait(app, name, kLongestAnswer);
  using State = Renames::Outcome::State;
  if (outcome.state == State::kUndone) {
    co_return fail(Code::kConflict, fmt::format("{} keeps its name: {}", app, outcome.why));
  }
  const bool done = outcome.state == State::kDone || outcome.state == State::kFree;
  auto object = co_await apps_.get(done ? name : app);
  SKIFF_CO_RETURN_IF_ERROR(object);
  co_return json_response(done ? 200 : 202, shape(*object));
}

io::Task<Api::Answer> Api::answer_rename(std::string method, std::string from, std::string to) {
  if (method != "GET") co_return no_endpoint();
  const auto outcome = co_await renames_.wait(from, to, kLongestAnswer);
  using State = Renames::Outcome::State;
  std::string state = name_of(outcome.state);
  // A platform before this one may have ended it.
  if (outcome.state == State::kUnknown) {
    auto old_app = co_await apps_.get(from);
    const std::string now = co_await renames_.find_new_name(from);
    if (!old_app && old_app.error().code == Code::kNotFound && now == to) state = "succeeded";
  }
  co_return json_response(200, Value::object({{"from", from},
                                              {"to", to},
                                              {"status", state},
                                              {"old_name_free", outcome.state != State::kDone},
                                              {"message", outcome.why}}));
}

}  // namespace skiff::platform
