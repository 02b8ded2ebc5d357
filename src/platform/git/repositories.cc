#include "platform/git/repositories.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/log.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/process.h"
#include "io/sync.h"
#include "io/unix_peer.h"
#include "platform/builds/limits.h"
#include "platform/git/answer_relay.h"
#include "platform/git/git_settings.h"
#include "platform/git/hook_script.h"

namespace skiff::platform {

namespace {

constexpr const char* kPushService = "git-receive-pack";
constexpr size_t kPieceBytes = 32 << 10;
// The hook's `git archive` is to write all files as they are: what .gitattributes leaves out or rewrites is
// meant for archives that people download.
constexpr const char* kAttributes = "* !export-ignore !export-subst\n";
constexpr Duration kAdvertiseTime = std::chrono::minutes(1);
// A git that was told to end has this long to remove what it was writing.
constexpr Duration kEndTime = std::chrono::seconds(10);
// A push takes as long as its build may, and this long besides: the upload on a slow line, the wait for
// dynos.
constexpr int64_t kBesideBuildSeconds = 2 * 3600;

constexpr const char* kNotConfinedSentence =
    "git could not be confined on this host, so it was not run; push again, and tell the operator if that "
    "does not help";

// "git-receive-pack" is run as `git receive-pack`.
std::string subcommand(const std::string& service) {
  return service.substr(4);
}

Result<void> keep_file(const std::string& path, const std::string& text, mode_t mode) {
  const auto present = io::read_file(path);
  if (!present || *present != text) SKIFF_RETURN_IF_ERROR(io::write_file_atomic(path, text, mode));
  return {};
}

// A body that breaks off ends git, which then sees half a pack. `taken` counts what came.
io::Task<void> feed(net::BodyReader* body, io::Process* process, int64_t* taken) {
  for (;;) {
    auto piece = co_await body->read_some();
    if (!piece || piece->empty()) break;
    *taken += static_cast<int64_t>(piece->size());
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

io::Task<Result<io::ExitStatus>> wait_for(io::Process* process) {
  auto status = co_await process->wait();
  co_return status;
}

}  // namespace

// A running git. When it is dropped before its end, the pusher has left: git, the hook and the hook's request
// for a build end too.
class Repositories::Git {
 public:
  Git(Repositories& owner, std::string app, MonotonicTime began, bool takes_push,
      std::unique_ptr<io::Process> process, std::unique_ptr<ControlGroup> group, net::BodyReader* body)
      : owner_(owner),
        use_(std::make_unique<RepositoryStore::Use>(owner.store_, app)),
        takes_push_(takes_push),
        process_(std::move(process)),
        group_(std::move(group)),
        feeding_(owner.loop_) {
    session_ = process_->pid();
    owner_.running_[session_] = {std::move(app), began};
    feeding_.spawn(feed(body, process_.get(), &taken_));
  }
  ~Git() {
    owner_.running_.erase(session_);
    feeding_.cancel();
    if (process_) process_->kill_group(SIGTERM);
    owner_.ending_.spawn(reap(&owner_, std::move(use_), std::move(process_), std::move(group_)));
  }
  Git(const Git&) = delete;
  io::Process& process() { return *process_; }
  bool takes_push() const { return takes_push_; }
  BoundReached bound_reached(const BuildLimits& limits) const {
    const BoundReached bound = group_ ? group_->bound_reached() : BoundReached::kNone;
    // git stops reading right behind it (receive.maxInputSize).
    const bool pack = takes_push_ && taken_ > limits.push_mb << 20;
    return bound == BoundReached::kNone && pack ? BoundReached::kPack : bound;
  }
  void set_ended() {
    feeding_.cancel();
    process_.reset();
  }

 private:
  Repositories& owner_;
  std::unique_ptr<RepositoryStore::Use> use_;
  bool takes_push_;
  pid_t session_ = 0;
  int64_t taken_ = 0;  // bytes
  std::unique_ptr<io::Process> process_;
  std::unique_ptr<ControlGroup> group_;
  io::TaskScope feeding_;
};

Repositories::Repositories(io::Loop& loop, std::string data, std::string control_group)
    : loop_(loop),
      data_(std::move(data)),
      confinement_(loop, {data_ + "/hooks", data_ + "/hook.sock", std::move(control_group)}),
      store_(loop, data_, confinement_),
      ending_(loop) {}

Result<void> Repositories::start() {
  SKIFF_RETURN_IF_ERROR(store_.start());
  const std::string hooks = data_ + "/hooks", info = hooks + "/info";
  SKIFF_RETURN_IF_ERROR(io::make_directories(info, 0755));
  for (const auto& folder : {hooks, info}) {
    if (::chmod(folder.c_str(), 0755) != 0) return fail_errno(errno, "chmod " + folder);
  }
  for (const auto& folder : {hooks, info}) io::sweep_unpublished(folder);
  SKIFF_RETURN_IF_ERROR(keep_file(info + "/attributes", kAttributes, 0644));
  SKIFF_RETURN_IF_ERROR(keep_file(hooks + "/post-receive", rollout_hook_script(), 0755));
  return keep_file(hooks + "/pre-receive", hook_script(), 0755);
}

Result<void> Repositories::open_socket() {
  const std::string path = hook_socket();
  if (::chown(path.c_str(), 0, kGitUser) != 0) return fail_errno(errno, "chown " + path);
  if (::chmod(path.c_str(), 0660) != 0) return fail_errno(errno, "chmod " + path);
  return {};
}

const Repositories::Push* Repositories::find_push(const net::Peer& peer) const {
  const auto who = io::parse_unix_peer(peer.address);
  if (!who || who->user != kGitUser) return nullptr;
  // A process that has ended has no session, and one that left git's session no push.
  const auto found = running_.find(::getsid(who->process));
  return found == running_.end() ? nullptr : &found->second;
}

io::Task<void> Repositories::reap(Repositories* self, std::unique_ptr<RepositoryStore::Use> use,
                                  std::unique_ptr<io::Process> process, std::unique_ptr<ControlGroup> group) {
  if (process) {
    auto ended = co_await io::with_timeout(self->loop_, kEndTime, wait_for(process.get()));
    if (!ended) {
      process->kill_group(SIGKILL);
      group.reset();
      auto status = co_await process->wait();
    }
  }
  group.reset();
  const std::string app = use->app();
  use.reset();
  self->store_.tidy_later(app);
}

io::Task<void> Repositories::advertise(std::string app, std::string service, net::ResponseWriter& writer) {
  auto limits = read_build_limits(data_);
  if (!limits) {
    auto sent = co_await writer.send(net::Response::text(500, limits.error().message + "\n"));
    co_return;
  }
  if (service == kPushService) {
    auto room = co_await store_.make_room(app, *limits);
    if (!room) {
      auto refusal = git_response(service, "advertisement");
      refusal.body = packet_line("# service=" + service + "\n") + "0000" +
                     packet_line("ERR " + room.error().message + "\n");
      auto sent = co_await writer.send(std::move(refusal));
      co_return;
    }
  }
  io::CommandOptions options;
  options.env = git_environment(confinement_.socket(), *limits);
  options.timeout = kAdvertiseTime;
  auto argv = git_command(confinement_.hooks_folder(), *limits);
  for (auto word : {subcommand(service), std::string("--stateless-rpc"), std::string("--advertise-refs"),
                    std::string(".")})
    argv.push_back(std::move(word));
  auto refs = co_await confinement_.run(folder(app), *limits, std::move(argv), std::move(options));
  if (!refs || !refs->status.ok()) {
    log_error("git cannot list refs", {{"app", app}, {"error", refs ? refs->err : refs.error().message}});
    auto sent = co_await writer.send(net::Response::text(500, "the repository can't be read\n"));
    co_return;
  }
  auto response = git_response(service, "advertisement");
  response.body = packet_line("# service=" + service + "\n") + "0000" + refs->out;
  auto sent = co_await writer.send(std::move(response));
}

io::Task<Result<void>> Repositories::relay(Git& git, BuildLimits limits, net::ResponseWriter& writer) {
  AnswerRelay answer;
  std::vector<char> buffer(kPieceBytes);
  for (;;) {
    auto got = co_await git.process().out_stream()->read(buffer);
    if (!got || *got == 0) break;
    const std::string whole = answer.add(std::string_view(buffer.data(), *got));
    if (whole.empty()) continue;
    auto written = co_await writer.write(whole);
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  auto status = co_await git.process().wait();
  SKIFF_CO_RETURN_IF_ERROR(status);
  const std::string rest = answer.finish(
      status->code == kNotConfined ? kNotConfinedSentence : explain_bound(git.bound_reached(limits), limits));
  git.set_ended();
  // Git syncs files, but not the folders that name them. The pusher's git ends when the answer does. A fetch
  // writes nothing.
  if (git.takes_push() && status->ok()) {
    auto synced =
        co_await io::run_blocking(loop_, [path = data_ + "/git"] { return io::sync_file_system(path); });
    if (!synced) log_warn("a push may not survive a power cut", {{"error", synced.error().message}});
  }
  if (!rest.empty()) {
    auto written = co_await writer.write(rest);
    SKIFF_CO_RETURN_IF_ERROR(written);
  }
  auto finished = co_await writer.finish();
  co_return finished;
}

io::Task<void> Repositories::serve(std::string app, std::string service, const net::Request& request,
                                   net::BodyReader& body, net::ResponseWriter& writer) {
  const MonotonicTime began = loop_.now();
  std::optional<CountedUse> push;
  if (service == kPushService) push.emplace(pushes_, app);
  auto limits = read_build_limits(data_);
  if (!limits) {
    auto sent = co_await writer.send(net::Response::text(500, limits.error().message + "\n"));
    co_return;
  }
  auto argv = git_command(confinement_.hooks_folder(), *limits);
  for (auto word : {subcommand(service), std::string("--stateless-rpc"), std::string(".")})
    argv.push_back(std::move(word));
  // Git packs the request of a fetch; gzip unpacks it on the way in.
  if (request.headers.get("Content-Encoding") == "gzip") {
    std::vector<std::string> unpack = {"/bin/sh", "-c", "gzip -dc | \"$@\"", "sh"};
    argv.insert(argv.begin(), unpack.begin(), unpack.end());
  }
  auto confined = co_await confinement_.prepare(folder(app), *limits, std::move(argv));
  if (!confined) {
    auto sent = co_await writer.send(net::Response::text(500, confined.error().message + "\n"));
    co_return;
  }
  io::ProcessOptions options;
  options.argv = std::move(confined->argv);
  options.env = git_environment(confinement_.socket(), *limits);
  options.pipe_stdin = true;
  options.out = io::ProcessOptions::Output::kPipe;
  options.new_session = true;
  auto process = io::spawn_process(loop_, options);
  if (!process) {
    auto sent = co_await writer.send(net::Response::text(500, "git can't be started\n"));
    co_return;
  }
  Git git(*this, std::move(app), began, service == kPushService, std::move(*process),
          std::move(confined->group), &body);
  auto started = co_await writer.start(git_response(service, "result"));
  if (!started) co_return;
  const Duration longest = std::chrono::seconds(limits->seconds + kBesideBuildSeconds);
  auto relayed = co_await io::with_timeout(loop_, longest, relay(git, *limits, writer));
  if (!relayed && relayed.error().code == Code::kTimeout)
    log_warn("git was ended: it took too long", {{"folder", confinement_.work_folder()}});
}

bool is_git_service(std::string_view service) {
  return service == "git-upload-pack" || service == kPushService;
}

}  // namespace skiff::platform
