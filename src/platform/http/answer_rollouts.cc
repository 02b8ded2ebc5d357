// How a release's rollout goes, for those who wait for it: the push's second hook and commands.
#include <fmt/core.h>

#include "base/strings.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/rollout_text.h"

namespace skiff::platform {

using json::Value;

namespace {
// Of one request about a rollout: well below the 30 s in which the edge wants an answer.
constexpr Duration kLongestAnswer = std::chrono::seconds(10);
}  // namespace

io::Task<std::string> Api::describe(std::string app, Rollout rollout) {
  std::string lines;
  if (rollout.phase != kSucceeded && !rollout.pod.empty())
    lines = co_await rollouts_.last_lines(app, rollout.pod);
  co_return rollout_text(app, apps_.web_url(app), rollout, lines);
}

// GET rollouts/v5: the state at its end, or after a few seconds: then "done" is false.
io::Task<Api::Answer> Api::answer_rollout(Question question) {
  if (question.method != "GET") co_return no_endpoint();
  const auto version = parse_int(question.name.starts_with("v") ? question.name.substr(1) : question.name);
  if (!version || *version < 1 || *version > INT32_MAX) {
    co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no release such as v3", question.name));
  }
  auto found = co_await apps_.release(question.app, static_cast<int>(*version));
  SKIFF_CO_RETURN_IF_ERROR(found);
  auto rollout = co_await rollouts_.wait(question.app, found->version, kLongestAnswer);
  SKIFF_CO_RETURN_IF_ERROR(rollout);
  const bool done = rollout->phase != kPending || rollout->outlook != Rollout::Outlook::kMoving;
  auto text = co_await describe(question.app, *rollout);
  co_return json_response(200, Value::object({{"version", rollout->version},
                                              {"status", to_lower(rollout->phase)},
                                              {"done", done},
                                              {"serving", rollout->serving},
                                              {"message", rollout->message},
                                              {"text", text}}));
}

// For the hook behind a push: git has taken the branch, the release is made.
io::Task<void> Api::tell_rollout(std::string app, net::ResponseWriter& writer) {
  net::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  auto going = co_await writer.start(std::move(head));
  if (!going) co_return;
  auto object = co_await apps_.get(app);
  std::string text;
  if (object) {
    const int version = parse_app_spec(*object).release;
    going = co_await writer.write(fmt::format("-----> Waiting for v{} to come up...\n", version));
    if (!going) co_return;
    auto rollout = co_await rollouts_.wait(app, version, kRolloutWait);
    if (rollout) text = co_await describe(app, *rollout);
  } else {
    text =
        " !     Whether it came up is not known now: the Kubernetes API does not answer. See skiff "
        "releases\n";
  }
  auto written = co_await writer.write(text);
  auto finished = co_await writer.finish();
}

}  // namespace skiff::platform
