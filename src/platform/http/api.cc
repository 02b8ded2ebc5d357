#include "platform/http/api.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/strings.h"
#include "platform/apps/procfile.h"
#include "platform/http/shapes.h"
#include "platform/logs/frames.h"

namespace skiff::platform {

namespace {

using json::Value;

constexpr size_t kMaxApiBody = 1 << 20;
constexpr const char* kGitSuffix = ".git";

net::Response json_response(int status, const Value& value) {
  return net::Response::json(status, json::encode(value));
}

// Heroku's error form: an id for programs, a message for people.
net::Response error_response(const Error& error) {
  int status = 500;
  const char* id = "internal_server_error";
  switch (error.code) {
    case Code::kInvalidArgument:
      status = 422;
      id = "invalid_params";
      break;
    case Code::kNotFound:
      status = 404;
      id = "not_found";
      break;
    case Code::kAlreadyExists:
      status = 422;
      id = "invalid_params";
      break;
    case Code::kConflict:
      status = 409;
      id = "conflict";
      break;
    case Code::kUnauthenticated:
      status = 401;
      id = "unauthorized";
      break;
    case Code::kForbidden:
      status = 403;
      id = "forbidden";
      break;
    case Code::kUnavailable:
    case Code::kTimeout:
      status = 503;
      id = "service_unavailable";
      break;
    default:
      break;
  }
  return json_response(status, Value::object({{"id", id}, {"message", error.message}}));
}

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  for (const auto& piece : split(path, '/')) {
    if (!piece.empty()) out.push_back(url_decode(piece).value_or(piece));
  }
  return out;
}

std::unexpected<Error> not_found() {
  return fail(Code::kNotFound, "The requested API endpoint was not found.");
}

std::string given_token(const net::Request& request) {
  const auto halves = split_once(request.headers.get("Authorization"), " ");
  if (equals_ignore_case(halves.before, "Bearer")) return std::string(trim(halves.after));
  if (!equals_ignore_case(halves.before, "Basic")) return "";
  const auto decoded = base64_decode(trim(halves.after));
  return decoded ? std::string(split_once(*decoded, ":").after) : "";
}

}  // namespace

Api::Api(io::Loop& loop, Apps& apps, Builder& builder, Repositories& repositories, LogStore& logs,
         ApiOptions options)
    : loop_(loop),
      apps_(apps),
      builder_(builder),
      repositories_(repositories),
      logs_(logs),
      options_(std::move(options)) {}

std::string Api::base_url() const {
  return options_.http_port == 80 ? "" : fmt::format(":{}", options_.http_port);
}

Value Api::shape(const Value& name_space) const {
  const std::string name = name_space["metadata"]["name"].str();
  return app_shape(name_space, fmt::format("http://{}.{}{}/", name, options_.domain, base_url()),
                   fmt::format("http://localhost{}/{}.git", base_url(), name));
}

void Api::note(const std::string& app, std::string_view text) {
  logs_.append(app, loop_.wall_now(), "app", "api", text);
}

Api::Caller Api::authenticate(const net::Request& request) const {
  const std::string token = given_token(request);
  if (!token.empty() && equals_constant_time(token, options_.token)) return Caller::kUser;
  if (!token.empty() && equals_constant_time(token, options_.edge_token)) return Caller::kEdge;
  return Caller::kNobody;
}

io::Task<void> Api::handle(const net::Request& request, net::BodyReader& body, net::ResponseWriter& writer) {
  const Caller caller = authenticate(request);
  if (caller == Caller::kNobody) {
    auto refused = error_response(Error{Code::kUnauthenticated, "Invalid credentials provided."});
    refused.headers.set("WWW-Authenticate", "Basic realm=\"Skiff\"");
    auto sent = co_await writer.send(std::move(refused));
    co_return;
  }
  auto path = segments(request.path());
  if (caller == Caller::kEdge) {
    if (request.method == "POST" && path.size() == 1 && path[0] == "logs") {
      co_await take_router_lines(body, writer);
    } else {
      auto sent =
          co_await writer.send(error_response(Error{Code::kForbidden, "the edge may only post log lines"}));
    }
    co_return;
  }
  if (!path.empty() && path[0].ends_with(kGitSuffix)) {
    const std::string app = path[0].substr(0, path[0].size() - 4);
    std::vector<std::string> tail(path.begin() + 1, path.end());
    std::string rest = join(tail, "/");
    co_await handle_git(app, std::move(rest), request, body, writer);
    co_return;
  }
  if (path.size() == 2 && path[0] == "log-streams" && request.method == "GET") {
    co_await stream_log(request, writer);
    co_return;
  }
  auto text = co_await net::read_all(body, kMaxApiBody);
  Result<Value> parsed = !text           ? Result<Value>(std::unexpected(text.error()))
                         : text->empty() ? Result<Value>(Value::object())
                                         : json::parse(*text);
  if (!parsed) {
    auto sent = co_await writer.send(json_response(
        400, Value::object({{"id", "bad_request"},
                            {"message", "The request body is not JSON: " + parsed.error().message}})));
    co_return;
  }
  auto response = co_await answer(request.method, std::move(path), std::move(*parsed));
  net::Response out = response ? std::move(*response) : error_response(response.error());
  auto sent = co_await writer.send(std::move(out));
}

io::Task<void> Api::handle_git(std::string app, std::string rest, const net::Request& request,
                               net::BodyReader& body, net::ResponseWriter& writer) {
  auto found = co_await apps_.get(app);
  if (!found) {
    auto sent = co_await writer.send(net::Response::text(
        404, fmt::format("There is no app {}; make it with `skiff create {}`\n", app, app)));
    co_return;
  }
  auto ready = co_await repositories_.create(app);
  const std::string service = request.query_parameter("service").value_or("");
  if (!ready) {
    auto sent = co_await writer.send(net::Response::text(500, ready.error().message + "\n"));
  } else if (request.method == "GET" && rest == "info/refs" && is_git_service(service)) {
    co_await repositories_.advertise(std::move(app), service, writer);
  } else if (request.method == "POST" && is_git_service(rest)) {
    co_await repositories_.serve(std::move(app), rest, request, body, writer);
  } else {
    auto sent =
        co_await writer.send(net::Response::text(404, "git's smart HTTP protocol is what is served here\n"));
  }
}

io::Task<Result<net::Response>> Api::answer(std::string method, std::vector<std::string> path, Value body) {
  if (path.empty() || path[0] != "apps" || path.size() > 3) co_return not_found();
  if (path.size() == 1) {
    auto out = co_await answer_apps(method, std::move(body));
    co_return out;
  }
  const std::string app = path[1];
  auto exists = co_await apps_.get(app);
  SKIFF_CO_RETURN_IF_ERROR(exists);
  if (path.size() == 2) {
    auto out = co_await answer_app(method, app);
    co_return out;
  }
  const std::string& part = path[2];
  if (part == "config-vars") {
    auto out = co_await answer_config(method, app, std::move(body));
    co_return out;
  }
  if (part == "releases") {
    auto out = co_await answer_releases(method, app, std::move(body));
    co_return out;
  }
  if (part == "formation") {
    auto out = co_await answer_formation(method, app, std::move(body));
    co_return out;
  }
  if (part == "log-sessions") {
    auto out = co_await answer_log_session(method, app, std::move(body));
    co_return out;
  }
  if (part == "dynos" && method == "GET") {
    auto pods = co_await apps_.pods(app);
    SKIFF_CO_RETURN_IF_ERROR(pods);
    co_return json_response(200, dyno_shapes(app, *pods));
  }
  co_return not_found();
}

io::Task<Result<net::Response>> Api::answer_apps(std::string method, Value body) {
  if (method == "GET") {
    auto names = co_await apps_.list();
    SKIFF_CO_RETURN_IF_ERROR(names);
    Value out = Value::array();
    for (const auto& name : *names) {
      auto name_space = co_await apps_.get(name);
      if (name_space) out.push_back(shape(*name_space));
    }
    co_return json_response(200, out);
  }
  if (method != "POST") co_return not_found();
  std::string name = body["name"].str();
  if (name.empty()) name = "app-" + make_name_suffix(loop_.random(), 8);
  auto created = co_await apps_.create(name);
  SKIFF_CO_RETURN_IF_ERROR(created);
  auto repository = co_await repositories_.create(name);
  SKIFF_CO_RETURN_IF_ERROR(repository);
  note(name, "Release v1 created by user skiff");
  note(name, "Initial release by user skiff");
  auto name_space = co_await apps_.get(name);
  SKIFF_CO_RETURN_IF_ERROR(name_space);
  co_return json_response(201, shape(*name_space));
}

io::Task<Result<net::Response>> Api::answer_app(std::string method, std::string app) {
  auto name_space = co_await apps_.get(app);
  SKIFF_CO_RETURN_IF_ERROR(name_space);
  if (method == "DELETE") {
    auto gone = co_await apps_.destroy(app);
    SKIFF_CO_RETURN_IF_ERROR(gone);
    auto removed = repositories_.remove(app);
    if (!removed) log_warn("repository stays", {{"app", app}, {"error", removed.error().message}});
    logs_.remove(app);
  } else if (method != "GET") {
    co_return not_found();
  }
  co_return json_response(200, shape(*name_space));
}

io::Task<Result<net::Response>> Api::answer_config(std::string method, std::string app, Value body) {
  if (method == "PATCH") {
    auto release = co_await apps_.change_config(app, std::move(body));
    SKIFF_CO_RETURN_IF_ERROR(release);
    note(app, release->description + " by user skiff");
    note(app, fmt::format("Release v{} created by user skiff", release->version));
  } else if (method != "GET") {
    co_return not_found();
  }
  auto vars = co_await apps_.config(app);
  SKIFF_CO_RETURN_IF_ERROR(vars);
  co_return json_response(200, *vars);
}

io::Task<Result<net::Response>> Api::answer_releases(std::string method, std::string app, Value body) {
  if (method == "GET") {
    auto all = co_await apps_.releases(app);
    SKIFF_CO_RETURN_IF_ERROR(all);
    Value out = Value::array();
    for (const auto& release : *all) out.push_back(release_shape(app, release, &release == &all->back()));
    co_return json_response(200, out);
  }
  if (method != "POST") co_return not_found();
  const std::string wanted = body["release"].str();
  const auto version = parse_int(wanted.starts_with("v") ? wanted.substr(1) : wanted);
  if (!version)
    co_return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no release such as v3", wanted));
  auto release = co_await apps_.roll_back(app, static_cast<int>(*version));
  SKIFF_CO_RETURN_IF_ERROR(release);
  note(app, release->description + " by user skiff");
  note(app, fmt::format("Release v{} created by user skiff", release->version));
  co_return json_response(201, release_shape(app, *release, true));
}

io::Task<Result<net::Response>> Api::answer_formation(std::string method, std::string app, Value body) {
  if (method == "PATCH") {
    for (const auto& update : body["updates"].items()) {
      if (!update["quantity"].is_int() || update["type"].str().empty()) {
        co_return fail(Code::kInvalidArgument, "each update has a type and a quantity");
      }
      auto scaled =
          co_await apps_.scale(app, update["type"].str(), static_cast<int>(update["quantity"].as_int(-1)));
      SKIFF_CO_RETURN_IF_ERROR(scaled);
      note(app, fmt::format("Scaled to {}@{}:Basic by user skiff", update["type"].str(),
                            update["quantity"].as_int()));
    }
  } else if (method != "GET") {
    co_return not_found();
  }
  auto processes = co_await apps_.formation(app);
  SKIFF_CO_RETURN_IF_ERROR(processes);
  Value out = Value::array();
  for (const auto& process : *processes) out.push_back(formation_shape(app, process));
  co_return json_response(200, out);
}

io::Task<Result<net::Response>> Api::answer_log_session(std::string method, std::string app, Value body) {
  if (method != "POST") co_return not_found();
  const int64_t lines = std::clamp<int64_t>(body["lines"].as_int(100), 0, static_cast<int64_t>(kKeptLines));
  const std::string url = fmt::format("http://localhost{}/log-streams/{}?lines={}&tail={}", base_url(), app,
                                      lines, body["tail"].as_bool() ? "true" : "false");
  co_return json_response(201, Value::object({{"logplex_url", url}}));
}

io::Task<void> Api::stream_log(const net::Request& request, net::ResponseWriter& writer) {
  const auto path = segments(request.path());
  auto found = co_await apps_.get(path[1]);
  if (!found) {
    auto sent = co_await writer.send(error_response(found.error()));
    co_return;
  }
  const auto lines = parse_uint(request.query_parameter("lines").value_or("100")).value_or(100);
  const bool tail = request.query_parameter("tail").value_or("") == "true";
  auto cursor = logs_.last(path[1], lines);
  net::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  auto going = co_await writer.start(std::move(head));
  while (going) {
    const std::string text = logs_.take(cursor);
    if (!text.empty()) {
      going = co_await writer.write(text);
    } else if (tail) {
      co_await logs_.wait(cursor);
    } else {
      break;
    }
  }
  if (going) auto finished = co_await writer.finish();
}

// Octet-counted syslog frames (application/logplex-1): "<length> <40>1 time app heroku router - text".
io::Task<void> Api::take_router_lines(net::BodyReader& body, net::ResponseWriter& writer) {
  auto text = co_await net::read_all(body, kMaxApiBody);
  if (text) {
    for (const auto& line : parse_frames(*text)) {
      if (check_app_name(line.app)) logs_.append(line.app, loop_.wall_now(), "heroku", "router", line.text);
    }
  }
  auto sent = co_await writer.send(net::Response::text(text ? 200 : 413, ""));
}

io::Task<void> Api::handle_hook(const net::Request& request, net::ResponseWriter& writer) {
  const std::string app = request.query_parameter("app").value_or("");
  const std::string id = request.query_parameter("id").value_or("");
  const std::string commit = request.query_parameter("commit").value_or("");
  net::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  auto going = co_await writer.start(std::move(head));
  if (!going) co_return;
  note(app, "Build started by user skiff");
  // Output is queued: the builder does not wait for a slow pusher, the log of a build is bounded by its time.
  io::Channel<std::string> lines(loop_);
  std::optional<Result<Release>> outcome;
  struct Runner {
    static io::Task<void> run(Builder& builder, std::string app, std::string id, std::string commit,
                              io::Channel<std::string>& lines, std::optional<Result<Release>>& outcome) {
      auto result =
          co_await builder.build(std::move(app), std::move(id), std::move(commit),
                                 [&lines](std::string_view text) { lines.push(std::string(text)); });
      outcome.emplace(std::move(result));
      lines.close();
    }
  };
  io::TaskScope scope(loop_);
  scope.spawn(Runner::run(builder_, app, id, commit, lines, outcome));
  for (;;) {
    auto text = co_await lines.pop();
    if (!text) break;
    auto written = co_await writer.write(*text);
  }
  std::string ending;
  if (*outcome) {
    note(app, fmt::format("Deploy {} by user skiff", commit.substr(0, 8)));
    note(app, fmt::format("Release v{} created by user skiff", (*outcome)->version));
    note(app, "Build succeeded");
    ending = fmt::format("       Released v{}\n       http://{}.{}{}/ deployed to Skiff\n\nskiff-build: ok\n",
                         (*outcome)->version, app, options_.domain, base_url());
  } else {
    note(app, "Build failed: " + outcome->error().message);
    ending = fmt::format("\n !     Push refused: {}\n", outcome->error().message);
  }
  auto written = co_await writer.write(ending);
  auto finished = co_await writer.finish();
}

}  // namespace skiff::platform
