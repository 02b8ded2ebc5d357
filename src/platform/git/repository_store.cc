#include "platform/git/repository_store.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/log.h"
#include "io/durable.h"
#include "io/file.h"
#include "io/sync.h"
#include "platform/git/git_settings.h"
#include "platform/git/repository_care.h"

namespace skiff::platform {

namespace {

constexpr const char* kEnding = ".git";
constexpr const char* kRemoving = ".removing-";
constexpr const char* kMaking = ".making-";
constexpr Duration kTidyAfter = std::chrono::seconds(2);  // the end of a git, which may still remove files
constexpr Duration kPackTime = std::chrono::minutes(5);
constexpr Duration kInitTime = std::chrono::seconds(30);

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

}  // namespace

Result<void> RepositoryStore::start() {
  SKIFF_RETURN_IF_ERROR(io::make_directories(data_ + "/git"));
  SKIFF_RETURN_IF_ERROR(set_cut_ones_aside());
  scope_.spawn(tidy_all(this));
  return {};
}

// Repositories whose making was cut hold nothing yet.
Result<void> RepositoryStore::set_cut_ones_aside() {
  auto names = io::list_directory(data_ + "/git");
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    const std::string path = data_ + "/git/" + name;
    const bool cut = name.ends_with(kEnding) && !name.starts_with(kRemoving) && !is_whole(path);
    if (!cut && !name.starts_with(kMaking)) continue;
    const std::string aside = data_ + "/git/" + kRemoving + "cut-" + name;
    SKIFF_RETURN_IF_ERROR(io::remove_tree(aside));
    if (::rename(path.c_str(), aside.c_str()) != 0) return fail_errno(errno, "move " + path + " aside");
  }
  return {};
}

io::Task<Result<void>> RepositoryStore::create(std::string app) {
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

io::Task<Result<void>> RepositoryStore::make(std::string path) {
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

io::Task<Result<void>> RepositoryStore::remove(std::string app) {
  const std::string aside = data_ + "/git/" + kRemoving + std::to_string(++removals_);
  const std::string path = folder(app);
  const bool moved = ::rename(path.c_str(), aside.c_str()) == 0;
  if (!moved && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
    co_return fail_errno(errno, "move " + path + " aside");
  auto removed =
      co_await io::run_blocking(loop_, [tree = moved ? aside : path] { return io::remove_tree(tree); });
  co_return removed;
}

io::Task<void> RepositoryStore::tidy(RepositoryStore* self, std::string app) {
  co_await io::sleep(self->loop_, kTidyAfter);
  if (self->uses_.contains(app)) co_return;
  // What a git that begins now makes is newer.
  const WallTime before = self->loop_.wall_now() - kTidyAfter / 2;
  const int count = co_await io::run_blocking(
      self->loop_, [path = self->folder(app), before] { return remove_git_leftovers(path, before); });
  if (count > 0) log_info("leftovers of git removed", {{"app", app}, {"count", std::to_string(count)}});
}

// At the start: of pushes and removals that ended with the platform before this one.
io::Task<void> RepositoryStore::tidy_all(RepositoryStore* self) {
  auto names = io::list_directory(self->data_ + "/git");
  if (!names) co_return;
  for (const auto& name : *names) {
    if (name.ends_with(kEnding) && !name.starts_with(kRemoving)) {
      self->tidy_later(name.substr(0, name.size() - std::string_view(kEnding).size()));
      continue;
    }
    if (!name.starts_with(kRemoving)) continue;
    auto removed = co_await io::run_blocking(
        self->loop_, [path = self->data_ + "/git/" + name] { return io::remove_tree(path); });
    if (!removed) log_warn("a repository stays", {{"error", removed.error().message}});
  }
}

io::Task<Result<void>> RepositoryStore::make_room(std::string app, BuildLimits limits) {
  auto check = [path = folder(app), limits] { return check_repository_size(path, limits.repository_mb); };
  auto small = co_await io::run_blocking(loop_, check);
  if (small) co_return small;
  const bool in_use = uses_.contains(app);
  const Use use(*this, app);
  io::CommandOptions options;
  options.env = git_environment(confinement_.socket(), limits);
  options.timeout = kPackTime;
  auto argv = git_command(confinement_.hooks_folder(), limits);
  // A push that goes on, however long, has not named its objects yet; one that begins now has young ones.
  for (const char* word : {"gc", "--quiet", in_use ? "--no-prune" : "--prune=1.hour.ago"})
    argv.emplace_back(word);
  auto packed = co_await confinement_.run(folder(app), limits, std::move(argv), std::move(options));
  if (!packed || !packed->status.ok())
    log_warn("repository not packed",
             {{"app", app}, {"error", packed ? packed->err : packed.error().message}});
  tidy_later(app);
  auto checked = co_await io::run_blocking(loop_, check);
  co_return checked;
}

}  // namespace skiff::platform
