#include "platform/git/repositories.h"

#include <fmt/core.h>

#include <csignal>
#include <vector>

#include "base/log.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "platform/builds/limits.h"

namespace skiff::platform {

namespace {

constexpr size_t kPieceBytes = 32 << 10;
// The hook's `git archive` is to write all files as they are: what .gitattributes leaves out or rewrites is
// meant for archives that people download.
constexpr const char* kAttributes = "* !export-ignore !export-subst\n";
constexpr Duration kInitTime = std::chrono::seconds(30);
// A clone without its history may push: git would refuse it only when the hook has made the release.
constexpr const char* kServe =
    "exec git -c receive.shallowUpdate=true -c \"$1\" \"$2\" --stateless-rpc \"$3\"";

// "git-receive-pack" is run as `git receive-pack`.
std::string subcommand(const std::string& service) {
  return service.substr(4);
}

// Git must not read the configuration of whoever started us.
std::vector<std::string> git_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null", "LANG=C.UTF-8"};
}

// Asked for with each request: a write, which waits for the disk, is the exception.
Result<void> keep_file(const std::string& path, const std::string& text, mode_t mode) {
  const auto present = io::read_file(path);
  if (present && *present == text) return {};
  return io::write_file_atomic(path, text, mode);
}

// A body that breaks off ends git, which then sees half a pack.
io::Task<void> feed(net::BodyReader* body, io::Process* process) {
  for (;;) {
    auto piece = co_await body->read_some();
    if (!piece || piece->empty()) break;
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

io::Task<void> reap(std::unique_ptr<io::Process> process) {
  auto status = co_await process->wait();
}

}  // namespace

// A running git. When it is dropped before its end, the pusher has left: git, the hook and the hook's request
// for a build end too.
class Repositories::Git {
 public:
  Git(io::Loop& loop, io::TaskScope& ending, std::unique_ptr<io::Process> process, net::BodyReader* body)
      : ending_(ending), process_(std::move(process)), feeding_(loop) {
    feeding_.spawn(feed(body, process_.get()));
  }
  ~Git() {
    if (!process_) return;
    feeding_.cancel();
    process_->kill_group(SIGTERM);
    ending_.spawn(reap(std::move(process_)));
  }
  Git(const Git&) = delete;
  io::Process& process() { return *process_; }
  void set_ended() {
    feeding_.cancel();
    process_.reset();
  }

 private:
  io::TaskScope& ending_;
  std::unique_ptr<io::Process> process_;
  io::TaskScope feeding_;
};

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
  auto info = io::make_directories(path + "/info");
  SKIFF_CO_RETURN_IF_ERROR(info);
  auto attributes = keep_file(path + "/info/attributes", kAttributes, 0644);
  SKIFF_CO_RETURN_IF_ERROR(attributes);
  const std::string hook = path + "/hooks/pre-receive";
  auto hooks = io::make_directories(path + "/hooks");
  SKIFF_CO_RETURN_IF_ERROR(hooks);
  auto limits = read_build_limits(data_);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  const std::string script = hook_script(app, data_ + "/builds", hook_socket(), limits->push_mb);
  auto written = keep_file(hook, script, 0700);
  co_return written;
}

Result<void> Repositories::remove(const std::string& app) {
  SKIFF_RETURN_IF_ERROR(io::remove_tree(data_ + "/cache/" + app + ".img"));
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
  auto limits = read_build_limits(data_);
  if (!limits) {
    auto sent = co_await writer.send(net::Response::text(500, limits.error().message + "\n"));
    co_return;
  }
  io::ProcessOptions options;
  // Git packs the request of a fetch; gzip unpacks it on the way in.
  const bool packed = request.headers.get("Content-Encoding") == "gzip";
  const std::string bound = fmt::format("receive.maxInputSize={}", limits->push_mb << 20);
  options.argv = {"/bin/sh",  "-c",  packed ? std::string("gzip -dc | ") + kServe : kServe,
                  "sh",       bound, subcommand(service),
                  folder(app)};
  options.env = git_environment();
  options.pipe_stdin = true;
  options.out = io::ProcessOptions::Output::kPipe;
  options.new_session = true;
  auto process = io::spawn_process(loop_, options);
  if (!process) {
    auto sent = co_await writer.send(net::Response::text(500, "git can't be started\n"));
    co_return;
  }
  Git git(loop_, ending_, std::move(*process), &body);
  auto started = co_await writer.start(git_response(service, "result"));
  std::vector<char> buffer(kPieceBytes);
  while (started) {
    auto got = co_await git.process().out_stream()->read(buffer);
    if (!got || *got == 0) break;
    started = co_await writer.write(std::string_view(buffer.data(), *got));
  }
  if (!started) co_return;
  auto status = co_await git.process().wait();
  git.set_ended();
  auto finished = co_await writer.finish();
}

}  // namespace skiff::platform
