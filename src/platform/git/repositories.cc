#include "platform/git/repositories.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
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
#include "platform/git/repository_care.h"

namespace skiff::platform {

namespace {

constexpr const char* kPushService = "git-receive-pack";
constexpr size_t kPieceBytes = 32 << 10;
// The hook's `git archive` is to write all files as they are: what .gitattributes leaves out or rewrites is
// meant for archives that people download.
constexpr const char* kAttributes = "* !export-ignore !export-subst\n";
constexpr const char* kEnding = ".git";
constexpr const char* kRemoving = ".removing-";
constexpr const char* kMaking = ".making-";
constexpr Duration kTidyAfter = std::chrono::seconds(2);  // the end of a git, which may still remove files
constexpr Duration kPackTime = std::chrono::minutes(5);
constexpr Duration kInitTime = std::chrono::seconds(30);
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

Result<void> give_to_git(const std::string& path) {
  if (::lchown(path.c_str(), kGitUser, kGitUser) != 0) return fail_errno(errno, "chown " + path);
  return {};
}

// The folder at last: until it is git's, nobody but root changes what is in it.
Result<void> give_tree_to_git(const std::string& folder) {
  struct stat info{};
  if (::lstat(folder.c_str(), &info) != 0) return fail_errno(errno, "look at " + folder);
  if (info.st_uid == kGitUser) return {};
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    SKIFF_RETURN_IF_ERROR(give_to_git(at->path().string()));
  }
  if (error) return fail(Code::kInternal, "read " + folder + ": " + error.message());
  return give_to_git(folder);
}

// `git init` makes the folder of the objects last.
bool is_whole(const std::string& repository) {
  struct stat info{};
  return ::lstat((repository + "/objects").c_str(), &info) == 0 && S_ISDIR(info.st_mode);
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

io::Task<Result<io::ExitStatus>> wait_for(io::Process* process) {
  auto status = co_await process->wait();
  co_return status;
}

// Counts something of an app while it lives.
class Counted {
 public:
  Counted(std::map<std::string, int>& counts, std::string app) : counts_(counts), app_(std::move(app)) {
    ++counts_[app_];
  }
  ~Counted() {
    if (--counts_[app_] == 0) counts_.erase(app_);
  }
  Counted(const Counted&) = delete;
  const std::string& app() const { return app_; }

 private:
  std::map<std::string, int>& counts_;
  std::string app_;
};

}  // namespace

// A git that may write to the app's repository: nothing is tidied there meanwhile.
class Repositories::Use : public Counted {
 public:
  Use(Repositories& owner, std::string app) : Counted(owner.uses_, std::move(app)) {}
};

// A running git. When it is dropped before its end, the pusher has left: git, the hook and the hook's request
// for a build end too.
class Repositories::Git {
 public:
  Git(Repositories& owner, std::string app, bool takes_push, std::unique_ptr<io::Process> process,
      std::unique_ptr<ControlGroup> group, net::BodyReader* body)
      : owner_(owner),
        use_(std::make_unique<Use>(owner, app)),
        takes_push_(takes_push),
        process_(std::move(process)),
        group_(std::move(group)),
        feeding_(owner.loop_) {
    session_ = process_->pid();
    owner_.running_[session_] = std::move(app);
    feeding_.spawn(feed(body, process_.get()));
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
  BoundReached bound_reached() const { return group_ ? group_->bound_reached() : BoundReached::kNone; }
  void set_ended() {
    feeding_.cancel();
    process_.reset();
  }

 private:
  Repositories& owner_;
  std::unique_ptr<Use> use_;
  bool takes_push_;
  pid_t session_ = 0;
  std::unique_ptr<io::Process> process_;
  std::unique_ptr<ControlGroup> group_;
  io::TaskScope feeding_;
};

Repositories::Repositories(io::Loop& loop, std::string data, std::string control_group)
    : loop_(loop),
      data_(std::move(data)),
      confinement_(loop, {data_ + "/hooks", data_ + "/hook.sock", std::move(control_group)}),
      ending_(loop) {}

Result<void> Repositories::start() {
  SKIFF_RETURN_IF_ERROR(io::make_directories(data_ + "/git"));
  SKIFF_RETURN_IF_ERROR(set_cut_ones_aside());
  const std::string hooks = data_ + "/hooks", info = hooks + "/info";
  SKIFF_RETURN_IF_ERROR(io::make_directories(info, 0755));
  for (const auto& folder : {hooks, info}) {
    if (::chmod(folder.c_str(), 0755) != 0) return fail_errno(errno, "chmod " + folder);
  }
  SKIFF_RETURN_IF_ERROR(keep_file(info + "/attributes", kAttributes, 0644));
  ending_.spawn(tidy_all(this));
  SKIFF_RETURN_IF_ERROR(keep_file(hooks + "/post-receive", rollout_hook_script(), 0755));
  return keep_file(hooks + "/pre-receive", hook_script(), 0755);
}

// Repositories whose making was cut hold nothing yet.
Result<void> Repositories::set_cut_ones_aside() {
  auto names = io::list_directory(data_ + "/git");
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string path = data_ + "/git/" + name;
    if (!name.starts_with(kMaking) && (!name.ends_with(kEnding) || is_whole(path))) continue;
    const std::string aside = data_ + "/git/" + kRemoving + "cut-" + name;
    SKIFF_RETURN_IF_ERROR(io::remove_tree(aside));
    if (::rename(path.c_str(), aside.c_str()) != 0) return fail_errno(errno, "move " + path + " aside");
  }
  return {};
}

Result<void> Repositories::open_socket() {
  const std::string path = hook_socket();
  if (::chown(path.c_str(), 0, kGitUser) != 0) return fail_errno(errno, "chown " + path);
  if (::chmod(path.c_str(), 0660) != 0) return fail_errno(errno, "chmod " + path);
  return {};
}

std::string Repositories::pushed_app(const net::Peer& peer) const {
  const auto who = io::parse_unix_peer(peer.address);
  if (!who || who->user != kGitUser) return "";
  // A process that has ended has no session, and one that left git's session no push.
  const auto found = running_.find(::getsid(who->process));
  return found == running_.end() ? "" : found->second;
}

io::Task<Result<void>> Repositories::create(std::string app) {
  const std::string path = folder(app);
  if (is_whole(path)) {
    auto given = co_await io::run_blocking(loop_, [path] { return give_tree_to_git(path); });
    co_return given;
  }
  const std::string making = data_ + "/git/" + kMaking + std::to_string(++made_);
  auto made = co_await make(making);
  auto published = co_await io::run_blocking(loop_, [made = std::move(made), making, path]() -> Result<void> {
    auto named = made ? io::publish(making, path) : made;
    auto removed = io::remove_tree(making);
    return !named && is_whole(path) ? Result<void>{} : named;  // made twice at once
  });
  co_return published;
}

io::Task<Result<void>> Repositories::make(std::string path) {
  auto limits = read_build_limits(data_);
  SKIFF_CO_RETURN_IF_ERROR(limits);
  auto folder = io::make_directories(path);
  SKIFF_CO_RETURN_IF_ERROR(folder);
  auto given = give_to_git(path);
  SKIFF_CO_RETURN_IF_ERROR(given);
  io::CommandOptions options;
  options.env = git_environment(confinement_.socket(), *limits);
  options.timeout = kInitTime;
  std::vector<std::string> argv = {"git", "init", "--quiet", "--bare", "--initial-branch=main", "."};
  auto made = co_await confinement_.run(path, *limits, std::move(argv), std::move(options));
  SKIFF_CO_RETURN_IF_ERROR(made);
  if (!made->status.ok()) co_return fail(Code::kInternal, "git init: " + made->err);
  co_return Result<void>{};
}

io::Task<Result<void>> Repositories::remove(std::string app) {
  const std::string aside = data_ + "/git/" + kRemoving + std::to_string(++removals_);
  const std::string path = folder(app), cache = data_ + "/cache/" + app + ".img";
  const bool moved = ::rename(path.c_str(), aside.c_str()) == 0;
  if (!moved && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
    co_return fail_errno(errno, "move " + path + " aside");
  auto removed = co_await io::run_blocking(loop_, [cache, tree = moved ? aside : path]() -> Result<void> {
    SKIFF_RETURN_IF_ERROR(io::remove_tree(cache));
    return io::remove_tree(tree);
  });
  co_return removed;
}

io::Task<void> Repositories::reap(Repositories* self, std::unique_ptr<Use> use,
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
  co_await tidy(self, app);
}

io::Task<void> Repositories::tidy(Repositories* self, std::string app) {
  co_await io::sleep(self->loop_, kTidyAfter);
  if (self->uses_.contains(app)) co_return;
  // What a git that begins now makes is newer.
  const WallTime before = self->loop_.wall_now() - kTidyAfter / 2;
  const int count = co_await io::run_blocking(
      self->loop_, [path = self->folder(app), before] { return remove_git_leftovers(path, before); });
  if (count > 0) log_info("leftovers of git removed", {{"app", app}, {"count", std::to_string(count)}});
}

// At the start: of pushes and removals that ended with the platform before this one.
io::Task<void> Repositories::tidy_all(Repositories* self) {
  auto names = io::list_directory(self->data_ + "/git");
  if (!names) co_return;
  for (const auto& name : *names) {
    if (name.ends_with(kEnding)) {
      self->ending_.spawn(tidy(self, name.substr(0, name.size() - std::string_view(kEnding).size())));
      continue;
    }
    if (!name.starts_with(kRemoving)) continue;
    auto removed = co_await io::run_blocking(
        self->loop_, [path = self->data_ + "/git/" + name] { return io::remove_tree(path); });
    if (!removed) log_warn("a repository stays", {{"error", removed.error().message}});
  }
}

io::Task<Result<void>> Repositories::make_room(std::string app, BuildLimits limits) {
  auto check = [path = folder(app), limits] { return check_repository_size(path, limits.repository_mb); };
  auto small = co_await io::run_blocking(loop_, check);
  if (small) co_return small;
  const Use use(*this, app);
  io::CommandOptions options;
  options.env = git_environment(confinement_.socket(), limits);
  options.timeout = kPackTime;
  auto argv = git_command(confinement_.hooks_folder(), limits);
  // Not what is younger: a push that goes on has not named its objects yet.
  for (const char* word : {"gc", "--quiet", "--prune=1.hour.ago"}) argv.emplace_back(word);
  auto packed = co_await confinement_.run(folder(app), limits, std::move(argv), std::move(options));
  if (!packed || !packed->status.ok())
    log_warn("repository not packed",
             {{"app", app}, {"error", packed ? packed->err : packed.error().message}});
  ending_.spawn(tidy(this, app));
  auto checked = co_await io::run_blocking(loop_, check);
  co_return checked;
}

io::Task<void> Repositories::advertise(std::string app, std::string service, net::ResponseWriter& writer) {
  auto limits = read_build_limits(data_);
  if (!limits) {
    auto sent = co_await writer.send(net::Response::text(500, limits.error().message + "\n"));
    co_return;
  }
  if (service == kPushService) {
    auto room = co_await make_room(app, *limits);
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
      status->code == kNotConfined ? kNotConfinedSentence : explain_bound(git.bound_reached(), limits));
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
  std::optional<Counted> push;
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
  Git git(*this, std::move(app), service == kPushService, std::move(*process), std::move(confined->group),
          &body);
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
