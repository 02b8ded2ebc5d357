// The apps' git repositories and git's smart HTTP protocol (git-http-protocol documentation), served by git
// itself.
//
// Git is confined (confinement.h): it reads what anybody who may push sends. A repository belongs to git's
// user, so nothing of it is trusted here; the hook and the attributes are files of the platform (DATA/hooks),
// laid over those of the repository.
//
// A push runs the pre-receive hook (hook_script.h), which sends the pushed tree to the platform through a
// unix socket and asks to build it; what the platform answers goes to the pusher. Whose push it is follows
// from the session of the process that asks: each git has one of its own. A pusher who leaves takes git, the
// hook and so the build with them.
#pragma once

#include <map>
#include <string>

#include "io/loop.h"
#include "io/process.h"
#include "io/scope.h"
#include "net/http_server.h"
#include "platform/git/confinement.h"

namespace skiff::platform {

class Repositories {
 public:
  // `data` is DATA/platform.
  Repositories(io::Loop& loop, std::string data, std::string control_group);
  // The files that git runs and reads of ours.
  Result<void> start();
  // Lets git's user, and nobody else, connect to hook_socket(), which listens already.
  Result<void> open_socket();
  // Makes the bare repository of an app, which is there whole or not at all, or takes over one of a platform
  // that ran git as root. Blocking commands run beside the loop.
  io::Task<Result<void>> create(std::string app);
  // At once out of the way of an app of the same name; the files go in the pool.
  io::Task<Result<void>> remove(std::string app);
  // GET /<app>.git/info/refs?service=...
  io::Task<void> advertise(std::string app, std::string service, net::ResponseWriter& writer);
  // POST /<app>.git/<service>
  io::Task<void> serve(std::string app, std::string service, const net::Request& request,
                       net::BodyReader& body, net::ResponseWriter& writer);
  // The app whose push the process at the other end of hook_socket() belongs to; "" when it is no hook of
  // ours.
  std::string pushed_app(const net::Peer& peer) const;
  // While a push is served, from its request to its end.
  bool has_push(const std::string& app) const { return pushes_.contains(app); }
  std::string folder(const std::string& app) const { return data_ + "/git/" + app + ".git"; }
  std::string hook_socket() const { return data_ + "/hook.sock"; }
  Confinement& confinement() { return confinement_; }

 private:
  class Git;
  class Use;
  Result<void> set_cut_ones_aside();
  // An empty repository at `path`.
  io::Task<Result<void>> make(std::string path);
  // To git's end, or until the pusher is gone.
  io::Task<Result<void>> relay(Git& git, BuildLimits limits, net::ResponseWriter& writer);
  // The group, which kills the rest, goes when git had its time to end. Then what is left is tidied.
  static io::Task<void> reap(Repositories* self, std::unique_ptr<Use> use,
                             std::unique_ptr<io::Process> process, std::unique_ptr<ControlGroup> group);
  // What pushes that were cut left in the app's repository goes, when no git works on it.
  static io::Task<void> tidy(Repositories* self, std::string app);
  static io::Task<void> tidy_all(Repositories* self);
  // A repository over its bound is packed anew, and then refused when that does not help.
  io::Task<Result<void>> make_room(std::string app, BuildLimits limits);
  io::Loop& loop_;
  std::string data_;
  Confinement confinement_;
  uint64_t removals_ = 0, made_ = 0;
  std::map<pid_t, std::string> running_;  // sessions of git that take a push
  std::map<std::string, int> uses_;       // by app: how many gits write to its repository now
  std::map<std::string, int> pushes_;     // by app: how many are served
  io::TaskScope ending_;                  // waits for the processes of pushers who left
};

// True for "git-upload-pack" and "git-receive-pack".
bool is_git_service(std::string_view service);

}  // namespace skiff::platform
