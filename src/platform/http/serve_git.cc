// git's smart HTTP, and the build that its hook asks for.
#include <fmt/core.h>

#include <optional>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "io/file.h"
#include "io/sync.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"

namespace skiff::platform {

namespace {

constexpr size_t kShortCommit = 8;
constexpr size_t kBuildIdBytes = 8;

bool is_commit_name(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == text.npos;
}

void remove_build_folder(const std::string& path) {
  auto removed = io::remove_tree(path);
  if (!removed) log_warn("build folder stays", {{"folder", path}, {"error", removed.error().message}});
}

// A build's folder: nothing of it stays, however the push ends. It may hold many files: they go in the pool.
class BuildFolder {
 public:
  BuildFolder(io::Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}
  ~BuildFolder() {
    loop_.submit_blocking([path = path_] { remove_build_folder(path); }, [] {});
  }
  BuildFolder(const BuildFolder&) = delete;

 private:
  io::Loop& loop_;
  std::string path_;
};

// A build that runs beside the request that streams its output.
struct RunningBuild {
  RunningBuild(io::Loop& loop, BuildRecords& r, std::string a, std::string i, BuildDetails d)
      : records(r), app(std::move(a)), id(std::move(i)), lines(loop), details(std::move(d)) {}
  // The pusher who waits for it may go away: the task ends where it stands then.
  ~RunningBuild() {
    if (!recorded) records.cancel(app, id, text, details);
  }
  RunningBuild(const RunningBuild&) = delete;
  BuildRecords& records;
  const std::string app, id;
  bool recorded = false;  // its end
  // Output is queued: the builder does not wait for a slow pusher, the output of a build is bounded.
  io::Channel<std::string> lines;
  std::optional<Result<Release>> outcome;
  BuildText text;
  BuildDetails details;
};

std::string tell_release(const Release& release) {
  std::string text = fmt::format("       Released v{}\n", release.version);
  if (release.written == Release::Written::kLater) {
    text +=
        " !     It runs later: the cluster could not take it yet. Skiff goes on trying; there is no need to "
        "push "
        "again.\n";
  }
  for (const auto& [type, quantity] : release.stopped) {
    text += fmt::format(
        " !     The Procfile has no {} any more: its dynos stop ({}); the number is remembered for when it "
        "returns\n",
        type, quantity);
  }
  return text + "\nskiff-build: ok\n";
}

io::Task<void> run_build(Builder& builder, std::string app, std::string id, std::string commit,
                         RunningBuild& build) {
  auto result = co_await builder.build(
      std::move(app), std::move(id), std::move(commit),
      [&build](std::string_view text) {
        build.text.add(text);
        build.lines.push(std::string(text));
      },
      build.details);
  build.outcome.emplace(std::move(result));
  build.lines.close();
}

}  // namespace

io::Task<void> Api::serve_git(std::string app, std::string rest, const net::Request& request,
                              net::BodyReader& body, net::ResponseWriter& writer) {
  const std::string service = request.query_parameter("service").value_or("");
  const bool pushes = service == "git-receive-pack" || rest == "git-receive-pack";
  const auto use = pushes ? Renames::Use::kChange : Renames::Use::kLook;
  auto found = co_await look_up(app, use);
  if (!found) {
    std::string now;
    if (found.error().code == Code::kNotFound) now = co_await renames_.find_new_name(app);
    auto sent = co_await writer.send(now.empty() ? git_without_app(app, found.error())
                                                 : git_renamed_app(app, now, git_url(now)));
    co_return;
  }
  auto ready = co_await repositories_.store().create(app);
  if (!ready) {
    auto sent = co_await writer.send(net::Response::text(500, ready.error().message + "\n"));
  } else if (request.method == "GET" && rest == "info/refs" && is_git_service(service)) {
    co_await repositories_.advertise(std::move(app), service, writer);
  } else if (auto usable = renames_.check(app, use); !usable) {  // by now
    auto sent = co_await writer.send(git_without_app(app, usable.error()));
  } else if (request.method == "POST" && is_git_service(rest)) {
    co_await repositories_.serve(std::move(app), rest, request, body, writer);
  } else {
    auto sent =
        co_await writer.send(net::Response::text(404, "git's smart HTTP protocol is what is served here\n"));
  }
}

io::Task<void> Api::handle_hook(const net::Request& request, net::BodyReader& body,
                                net::ResponseWriter& writer) {
  const auto* push = repositories_.find_push(request.peer);
  const std::string app = push ? push->app : "";
  BuildDetails details;
  PhaseClock clock(loop_, details, push ? push->began : loop_.now());
  clock.end("receive");
  const std::string commit = request.query_parameter("commit").value_or("");
  const auto submodules = parse_int(request.query_parameter("submodules").value_or("0"));
  if (!app.empty() && request.path() == "/rollout") {
    co_await tell_rollout(app, writer);
    co_return;
  }
  if (app.empty() || !is_commit_name(commit) || !submodules || *submodules < 0) {
    auto sent = co_await writer.send(
        net::Response::text(403, " !     Only the hook of a push may ask for a build\n"));
    co_return;
  }
  if (auto usable = renames_.check(app, Renames::Use::kChange); !usable) {
    auto sent = co_await writer.send(
        net::Response::text(409, fmt::format("\n !     Push refused: {}\n", usable.error().message)));
    co_return;
  }
  if (builder_.is_building(app)) {
    auto sent = co_await writer.send(net::Response::text(
        409,
        fmt::format("\n !     Push refused: another build of {} is going on; push again when it has ended\n",
                    app)));
    co_return;
  }
  const std::string id = make_secret(loop_.random(), kBuildIdBytes);
  const BuildFolder folder(loop_, builder_.build_folder(id));
  auto received = co_await builder_.receive_source(id, static_cast<size_t>(*submodules), body);
  if (!received) {
    auto sent = co_await writer.send(
        net::Response::text(400, fmt::format(" !     Push refused: {}\n", received.error().message)));
    co_return;
  }
  clock.end("source");
  co_await build_pushed(app, id, commit, std::move(details), writer);
}

io::Task<void> Api::build_pushed(std::string app, std::string id, std::string commit, BuildDetails details,
                                 net::ResponseWriter& writer) {
  net::Response head;
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  auto going = co_await writer.start(std::move(head));
  if (!going) co_return;
  note(app, "Build started by user skiff");
  // Before it is recorded: the record of a pusher who leaves meanwhile has an end, too.
  RunningBuild build(loop_, builds_, app, id, std::move(details));
  auto recorded = co_await builds_.begin(app, id, commit);
  if (!recorded) log_warn("build is not recorded", {{"build", id}, {"error", recorded.error().message}});
  io::TaskScope scope(loop_);
  scope.spawn(run_build(builder_, app, id, commit, build));
  for (;;) {
    auto text = co_await build.lines.pop();
    if (!text) break;
    auto written = co_await writer.write(*text);
  }
  const auto& outcome = *build.outcome;
  std::string ending;
  if (outcome) {
    note(app, fmt::format("Deploy {} by user skiff", commit.substr(0, kShortCommit)));
    note(app, fmt::format("Release v{} created by user skiff", outcome->version));
    note_stopped(app, *outcome);
    note(app, "Build succeeded");
    ending = tell_release(*outcome);
  } else {
    note(app, "Build failed: " + outcome.error().message);
    ending = fmt::format("\n !     Push refused: {}\n", outcome.error().message);
  }
  co_await builds_.end(app, id, outcome, build.text, build.details);
  build.recorded = true;
  auto written = co_await writer.write(ending);
  auto finished = co_await writer.finish();
}

}  // namespace skiff::platform
