// Git's smart HTTP protocol (git-http-protocol documentation) for the apps' repositories
// (repository_store.h), served by git itself.
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
#include "platform/git/repository_store.h"

namespace skiff::platform {

class Repositories {
 public:
  // `data` is DATA/platform.
  Repositories(io::Loop& loop, std::string data, std::string control_group);
  // The files that git runs and reads of ours.
  Result<void> start();
  // Lets git's user, and nobody else, connect to hook_socket(), which listens already.
  Result<void> open_socket();
  RepositoryStore& store() { return store_; }
  // GET /<app>.git/info/refs?service=...
  io::Task<void> advertise(std::string app, std::string service, net::ResponseWriter& writer);
  // POST /<app>.git/<service>
  io::Task<void> serve(std::string app, std::string service, const net::Request& request,
                       net::BodyReader& body, net::ResponseWriter& writer);
  struct Push {
    std::string app;
    MonotonicTime began;
  };
  // The push that the process at the other end of hook_socket() belongs to; null when it is no hook of ours.
  const Push* find_push(const net::Peer& peer) const;
  // While a push is served, from its request to its end.
  bool has_push(const std::string& app) const { return pushes_.contains(app); }
  std::string folder(const std::string& app) const { return store_.folder(app); }
  std::string hook_socket() const { return data_ + "/hook.sock"; }
  Confinement& confinement() { return confinement_; }

 private:
  class Git;
  // To git's end, or until the pusher is gone.
  io::Task<Result<void>> relay(Git& git, BuildLimits limits, net::ResponseWriter& writer);
  // The group, which kills the rest, goes when git had its time to end. Then what is left is tidied.
  static io::Task<void> reap(Repositories* self, std::unique_ptr<RepositoryStore::Use> use,
                             std::unique_ptr<io::Process> process, std::unique_ptr<ControlGroup> group);
  io::Loop& loop_;
  std::string data_;
  Confinement confinement_;
  RepositoryStore store_;
  std::map<pid_t, Push> running_;      // sessions of git that take a push
  std::map<std::string, int> pushes_;  // by app: how many are served
  io::TaskScope ending_;               // waits for the processes of pushers who left
};

// True for "git-upload-pack" and "git-receive-pack".
bool is_git_service(std::string_view service);

}  // namespace skiff::platform
