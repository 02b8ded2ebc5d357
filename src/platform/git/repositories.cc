#include "platform/git/repositories.h"

#include <fmt/core.h>

#include <csignal>
#include <vector>

#include "base/log.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"

namespace skiff::platform {

namespace {

constexpr size_t kPieceBytes = 32 << 10;
constexpr Duration kInitTime = std::chrono::seconds(30);

// "git-receive-pack" is run as `git receive-pack`.
std::string subcommand(const std::string& service) {
  return service.substr(4);
}

// Git must not read the configuration of whoever started us.
std::vector<std::string> git_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null", "LANG=C.UTF-8"};
}

io::Task<void> feed(net::BodyReader* body, io::Process* process, bool* broken) {
  for (;;) {
    auto piece = co_await body->read_some();
    if (!piece) {
      *broken = true;
      process->kill(SIGTERM);
      break;
    }
    if (piece->empty()) break;
    auto written = co_await process->in_stream()->write(*piece);
    if (!written) break;
  }
  process->in_stream().reset();
}

net::Response git_response(const std::string& service, const std::string& suffix) {
  net::Response response;
  response.headers.set("Content-Type", fmt::format("application/x-{}-{}", service, suffix));
  response.headers.set("Cache-Control", "no-cache");
  return response;
}

struct Session {
  explicit Session(io::Loop& loop) : scope(loop) {}
  std::unique_ptr<io::Process> process;
  bool broken = false;
  io::TaskScope scope;
};

}  // namespace

io::Task<Result<void>> Repositories::create(std::string app) {
  const std::string path = folder(app);
  auto parents = io::make_directories(data_ + "/git");
  SKIFF_CO_RETURN_IF_ERROR(parents);
  auto builds = io::make_directories(data_ + "/builds");
  SKIFF_CO_RETURN_IF_ERROR(builds);
  if (!io::path_exists(path + "/HEAD")) {
    io::CommandOptions options;
    options.env = git_environment();
    options.timeout = kInitTime;
    std::vector<std::string> argv = {"git", "init", "--quiet", "--bare", "--initial-branch=main", path};
    auto made = co_await io::run_command(loop_, std::move(argv), std::move(options));
    SKIFF_CO_RETURN_IF_ERROR(made);
    if (!made->status.ok()) co_return fail(Code::kInternal, "git init: " + made->err);
  }
  const std::string hook = path + "/hooks/pre-receive";
  auto hooks = io::make_directories(path + "/hooks");
  SKIFF_CO_RETURN_IF_ERROR(hooks);
  const std::string script = hook_script(app, data_ + "/builds", hook_socket());
  auto written = io::write_file_atomic(hook, script, 0700);
  co_return written;
}

Result<void> Repositories::remove(const std::string& app) {
  SKIFF_RETURN_IF_ERROR(io::remove_tree(data_ + "/cache/" + app));
  return io::remove_tree(folder(app));
}

io::Task<void> Repositories::advertise(std::string app, std::string service, net::ResponseWriter& writer) {
  io::CommandOptions options;
  options.env = git_environment();
  std::vector<std::string> argv = {"git", subcommand(service), "--stateless-rpc", "--advertise-refs",
                                   folder(app)};
  auto refs = co_await io::run_command(loop_, std::move(argv), std::move(options));
  if (!refs || !refs->status.ok()) {
    log_error("git cannot list refs", {{"app", app}, {"error", refs ? refs->err : refs.error().message}});
    auto sent = co_await writer.send(net::Response::text(500, "the repository can't be read\n"));
    co_return;
  }
  auto response = git_response(service, "advertisement");
  response.body = packet_line("# service=" + service + "\n") + "0000" + refs->out;
  auto sent = co_await writer.send(std::move(response));
}

io::Task<void> Repositories::serve(std::string app, std::string service, const net::Request& request,
                                   net::BodyReader& body, net::ResponseWriter& writer) {
  io::ProcessOptions options;
  options.argv = {"git", subcommand(service), "--stateless-rpc", folder(app)};
  options.env = git_environment();
  options.pipe_stdin = true;
  options.out = io::ProcessOptions::Output::kPipe;
  if (request.headers.get("Content-Encoding") == "gzip") {
    // Git packs the request of a fetch; gzip unpacks it on the way in.
    options.argv = {
        "/bin/sh",           "-c",       "gzip -dc | exec git \"$1\" --stateless-rpc \"$2\"", "sh",
        subcommand(service), folder(app)};
  }
  auto process = io::spawn_process(loop_, options);
  if (!process) {
    auto sent = co_await writer.send(net::Response::text(500, "git can't be started\n"));
    co_return;
  }
  Session session(loop_);
  session.process = std::move(*process);
  session.scope.spawn(feed(&body, session.process.get(), &session.broken));
  auto started = co_await writer.start(git_response(service, "result"));
  std::vector<char> buffer(kPieceBytes);
  while (started) {
    auto got = co_await session.process->out_stream()->read(buffer);
    if (!got || *got == 0) break;
    started = co_await writer.write(std::string_view(buffer.data(), *got));
  }
  // A pusher who left does not stop a build half way: git ends by itself on the closed pipe.
  session.process->out_stream().reset();
  auto status = co_await session.process->wait();
  auto finished = co_await writer.finish();
}

}  // namespace skiff::platform
