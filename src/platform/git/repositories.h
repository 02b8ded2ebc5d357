// The apps' git repositories and git's smart HTTP protocol (git-http-protocol documentation), served by git
// itself.
//
// A push runs the pre-receive hook, a shell script made here: it writes the pushed tree as
// DATA/builds/<id>/source.tar and asks the platform through a unix socket to build it; what the platform
// answers goes to the pusher. A pusher who leaves takes git, the hook and so the build with them.
#pragma once

#include <string>

#include "io/loop.h"
#include "io/process.h"
#include "io/scope.h"
#include "net/http_server.h"

namespace skiff::platform {

class Repositories {
 public:
  Repositories(io::Loop& loop, std::string data) : loop_(loop), data_(std::move(data)), ending_(loop) {}
  // Makes the bare repository of an app, or renews its hook and attributes. Blocking commands run beside the
  // loop.
  io::Task<Result<void>> create(std::string app);
  Result<void> remove(const std::string& app);
  // GET /<app>.git/info/refs?service=...
  io::Task<void> advertise(std::string app, std::string service, net::ResponseWriter& writer);
  // POST /<app>.git/<service>
  io::Task<void> serve(std::string app, std::string service, const net::Request& request,
                       net::BodyReader& body, net::ResponseWriter& writer);
  std::string folder(const std::string& app) const { return data_ + "/git/" + app + ".git"; }
  std::string hook_socket() const { return data_ + "/hook.sock"; }

 private:
  class Git;
  io::Loop& loop_;
  std::string data_;
  io::TaskScope ending_;  // waits for the processes of pushers who left
};

// True for "git-upload-pack" and "git-receive-pack".
bool is_git_service(std::string_view service);
// Four hexadecimal digits of the length, then the text (pkt-line).
std::string packet_line(std::string_view text);
// Pure: the hook script. The files of a pushed commit may take `push_mb` together.
std::string hook_script(const std::string& app, const std::string& builds, const std::string& socket,
                        int64_t push_mb);

}  // namespace skiff::platform
