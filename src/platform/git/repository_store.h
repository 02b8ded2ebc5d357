// The apps' repositories on the disk: made, removed, kept small and tidy.
//
// A repository belongs to git's user, so nothing of it is trusted: git works on it confined, and the platform
// looks at it by descriptors (repository_care.h). What killed gits leave is removed while no git works there.
#pragma once

#include <map>
#include <string>

#include "io/loop.h"
#include "io/scope.h"
#include "platform/git/confinement.h"

namespace skiff::platform {

// Counts something of an app while it lives.
class CountedUse {
 public:
  CountedUse(std::map<std::string, int>& counts, std::string app) : counts_(counts), app_(std::move(app)) {
    ++counts_[app_];
  }
  ~CountedUse() {
    if (--counts_[app_] == 0) counts_.erase(app_);
  }
  CountedUse(const CountedUse&) = delete;
  const std::string& app() const { return app_; }

 private:
  std::map<std::string, int>& counts_;
  std::string app_;
};

class RepositoryStore {
 public:
  // `data` is DATA/platform. The confinement outlives it.
  RepositoryStore(io::Loop& loop, std::string data, Confinement& confinement)
      : loop_(loop), data_(std::move(data)), confinement_(confinement), scope_(loop) {}
  // Tidies up behind pushes, makings and removals that ended with the platform before this one.
  Result<void> start();
  // Makes the bare repository of an app, which is there whole or not at all, or takes over one of a platform
  // that ran git as root. Blocking commands run beside the loop.
  io::Task<Result<void>> create(std::string app);
  // At once out of the way of an app of the same name; the files go in the pool.
  io::Task<Result<void>> remove(std::string app);
  // A repository over its bound is packed anew, and then refused when that does not help.
  io::Task<Result<void>> make_room(std::string app, BuildLimits limits);
  // A git that may write to the app's repository: nothing is tidied there while one lives.
  class Use : public CountedUse {
   public:
    Use(RepositoryStore& store, std::string app) : CountedUse(store.uses_, std::move(app)) {}
  };
  // Due when a git has ended: in a while, what gits that were cut have left in the repository goes, if none
  // works on it by then.
  void tidy_later(std::string app) { scope_.spawn(tidy(this, std::move(app))); }
  std::string folder(const std::string& app) const { return data_ + "/git/" + app + ".git"; }

 private:
  Result<void> set_cut_ones_aside();
  // An empty repository at `path`.
  io::Task<Result<void>> make(std::string path);
  static io::Task<void> tidy(RepositoryStore* self, std::string app);
  static io::Task<void> tidy_all(RepositoryStore* self);
  io::Loop& loop_;
  std::string data_;
  Confinement& confinement_;
  uint64_t removals_ = 0, made_ = 0;
  std::map<std::string, int> uses_;  // by app
  io::TaskScope scope_;
};

}  // namespace skiff::platform
