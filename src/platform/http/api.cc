#include "platform/http/api.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "io/sync.h"
#include "kube/client/patient_client.h"
#include "platform/http/errors.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMaxApiBody = 1 << 20;
constexpr std::string_view kGitSuffix = ".git";
constexpr const char* kRetryAfter = "10";  // seconds; some of the attempts before are forgotten then
// An app that is just getting its new name is waited for.
constexpr Duration kRenamePause = std::chrono::milliseconds(50);
constexpr int kMostPauses = 100;
constexpr size_t kMaxPath = 6;  // apps, shop, dynos, web.1, actions, stop

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  for (const auto& piece : split(path, '/')) {
    if (!piece.empty()) out.push_back(url_decode(piece).value_or(piece));
  }
  return out;
}

std::string given_token(const net::Request& request) {
  const auto halves = split_once(request.headers.get("Authorization"), " ");
  if (equals_ignore_case(halves.before, "Bearer")) return std::string(trim(halves.after));
  if (!equals_ignore_case(halves.before, "Basic")) return "";
  const auto decoded = base64_decode(trim(halves.after));
  return decoded ? std::string(split_once(*decoded, ":").after) : "";
}

}  // namespace

Api::Api(io::Loop& loop, ApiParts parts, ApiOptions options)
    : loop_(loop),
      apps_(parts.apps),
      builder_(parts.builder),
      builds_(parts.builds),
      repositories_(parts.repositories),
      logs_(parts.logs),
      rollouts_(parts.rollouts),
      renames_(parts.renames),
      options_(std::move(options)) {}

void Api::note(const std::string& app, std::string_view text) {
  logs_.append(app, {loop_.wall_now(), "app", "api"}, text);
}

void Api::note_release(const std::string& app, const Release& release) {
  note(app, release.description + " by user skiff");
  note(app, fmt::format("Release v{} created by user skiff", release.version));
  note_stopped(app, release);
}

void Api::note_stopped(const std::string& app, const Release& release) {
  for (const auto& [type, quantity] : release.stopped) {
    note(app, fmt::format("{}@{} stopped: v{} has no such process type; the number is remembered", type,
                          quantity, release.version));
  }
}

// The edge itself comes without a visitor; its token is worth nothing to one.
Api::Caller Api::authenticate(const net::Request& request, const Visitor& visitor) const {
  const std::string token = given_token(request);
  if (!token.empty() && equals_constant_time(token, options_.token)) return Caller::kUser;
  if (!visitor.by_edge && !token.empty() && equals_constant_time(token, options_.edge_token))
    return Caller::kEdge;
  return Caller::kNobody;
}

io::Task<std::optional<net::Response>> Api::refuse_early(const net::Request& request, Visitor visitor) {
  if (!is_same_origin(request)) {
    co_return json_response(403, Value::object({{"id", "cross_origin"},
                                                {"message",
                                                 "A page of another site asked for this in your browser; "
                                                 "Skiff answers its own pages and programs only."}}));
  }
  // The first question of git and browsers has no credentials: it is told to bring some.
  if (!request.headers.find("Authorization") || authenticate(request, visitor) == Caller::kEdge)
    co_return std::nullopt;
  const auto wait = attempts_.begin(visitor.source, loop_.now());
  if (!wait) {
    auto refused = json_response(429, Value::object({{"id", "rate_limit"},
                                                     {"message",
                                                      "Too many wrong credentials came from your address: "
                                                      "wait a moment, and check the token."}}));
    refused.headers.set("Retry-After", kRetryAfter);
    co_return refused;
  }
  if (*wait > Duration{}) co_await io::sleep(loop_, *wait);
  if (authenticate(request, visitor) == Caller::kUser) attempts_.forgive(visitor.source, loop_.now());
  co_return std::nullopt;
}

io::Task<void> Api::handle(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
  const Visitor visitor = visitor_of(request, options_.edge_token);
  auto early = co_await refuse_early(request, visitor);
  if (early) {
    auto sent = co_await writer.send(std::move(*early));
    co_return;
  }
  const Caller caller = authenticate(request, visitor);
  if (caller == Caller::kNobody) {
    auto refused = error_response(Error{Code::kUnauthenticated, "Invalid credentials provided."});
    refused.headers.set("WWW-Authenticate", "Basic realm=\"Skiff\"");
    auto sent = co_await writer.send(std::move(refused));
    co_return;
  }
  auto path = segments(request.path());
  if (caller == Caller::kEdge) {
    co_await serve_edge(request, body, writer);
  } else if (!path.empty() && path[0].ends_with(kGitSuffix)) {
    std::string app = path[0].substr(0, path[0].size() - kGitSuffix.size());
    path.erase(path.begin());
    std::string rest = join(path, "/");
    co_await serve_git(std::move(app), std::move(rest), request, body, writer);
  } else if (path.size() == 2 && path[0] == "log-streams" && request.method == "GET") {
    co_await stream_log(path[1], request, writer);
  } else {
    co_await serve_json(std::move(path), request, body, writer);
  }
}

io::Task<Result<json::Value>> Api::look_up(std::string app, Renames::Use use) {
  auto found = co_await io::with_timeout(loop_, kube::kApiPatience, apps_.get(app));
  Result<void> usable = renames_.check(app, use);
  for (int pauses = 0; !usable && usable.error().code == Code::kUnavailable && pauses < kMostPauses;
       ++pauses) {
    co_await io::sleep(loop_, kRenamePause);
    usable = renames_.check(app, use);
  }
  if (found && !usable) found = std::unexpected(usable.error());
  if (found || found.error().code != Code::kNotFound) co_return found;
  const std::string now = co_await renames_.find_new_name(app);
  if (now.empty()) co_return found;
  co_return fail(Code::kNotFound, fmt::format("Couldn't find that app: {} was renamed to {}.", app, now));
}

io::Task<void> Api::serve_json(std::vector<std::string> path, const net::Request& request,
                               net::BodyReader& body, net::ResponseWriter& writer) {
  auto text = co_await net::read_all(body, kMaxApiBody);
  if (!text) {
    auto sent = co_await writer.send(error_response(text.error()));
    co_return;
  }
  auto parsed = text->empty() ? Result<Value>(Value::object()) : json::parse(*text);
  if (!parsed || !parsed->is_object()) {
    const std::string why = parsed ? "it is no object" : parsed.error().message;
    auto sent = co_await writer.send(
        json_response(400, Value::object({{"id", "bad_request"},
                                          {"message", "The request body is not a JSON object: " + why}})));
    co_return;
  }
  Answer answer = no_endpoint();
  if (path.size() == 3 && path[0] == "renames") {
    answer = co_await answer_rename(request.method, path[1], path[2]);
  } else if (path.size() == 1 && path[0] == "apps") {
    answer = co_await answer_apps(request.method, std::move(*parsed));
  } else if (path.size() > 1 && path.size() <= kMaxPath && path[0] == "apps") {
    path.resize(kMaxPath);
    const bool whole = path[2].empty() && (request.method == "DELETE" || parsed->contains("name"));
    auto exists = co_await look_up(path[1], request.method == "GET" ? Renames::Use::kLook
                                            : whole                 ? Renames::Use::kEnd
                                                                    : Renames::Use::kChange);
    if (!exists) {
      auto sent = co_await writer.send(json_without_app(exists.error()));
      co_return;
    }
    const std::string action = path[5].empty() ? path[4] : path[4] + "/" + path[5];
    Question question{request.method,    path[1], path[2],
                      path[3],           action,  std::string(request.headers.get("Range")),
                      std::move(*parsed)};
    answer = co_await answer_part(std::move(question));
  } else {
    answer = co_await answer_instance(request.method, join(path, "/"));
  }
  net::Response out = answer ? std::move(*answer) : error_response(answer.error());
  auto sent = co_await writer.send(std::move(out));
}

io::Task<Api::Answer> Api::answer_part(Question question) {
  struct Part {
    const char *name, *action;
    io::Task<Answer> (Api::*answer)(Question);
  };
  static constexpr Part kParts[] = {
      {"", "", &Api::answer_app},
      {"config-vars", "", &Api::answer_config},
      {"releases", "", &Api::answer_releases},
      {"releases", "config-vars", &Api::answer_release_config},
      {"rollouts", "", &Api::answer_rollout},
      {"formation", "", &Api::answer_formation},
      {"formations", "", &Api::answer_formation_type},
      {"formations", "actions/stop", &Api::answer_stop},
      {"dynos", "", &Api::answer_dynos},
      {"dynos", "actions/stop", &Api::answer_stop},
      {"builds", "", &Api::answer_builds},
      {"build-cache", "", &Api::answer_build_cache},
      {"buildpack-installations", "", &Api::answer_buildpacks},
      {"log-sessions", "", &Api::answer_log_session},
  };
  for (const auto& part : kParts) {
    if (question.part != part.name || question.action != part.action) continue;
    auto answer = co_await (this->*part.answer)(std::move(question));
    co_return answer;
  }
  co_return no_endpoint();
}

}  // namespace skiff::platform
