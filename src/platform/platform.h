// The platform: apps, builds, releases and logs on top of the Kubernetes API, for git and the skiff CLI.
//
// All durable state is in the cluster, but the git repositories, the build caches and the logs, which are
// folders of `data`. One loop, one thread.
#pragma once

#include <memory>
#include <string>

#include "io/loop.h"
#include "io/stream.h"
#include "kube/client/client.h"
#include "net/http_client.h"
#include "net/http_server.h"

namespace skiff::platform {

struct PlatformOptions {
  std::string data;        // DATA/platform
  std::string images;      // DATA/images: OCI layouts of skiff.local/ images
  std::string buildpacks;  // the built-in buildpacks
  std::string domain = "localhost";
  uint16_t http_port = 80;                       // for the addresses shown
  std::string token;                             // password of git and the API; secret
  std::string edge_token;                        // of the edge, which posts router lines; secret
  net::ClientOptions api;                        // to read the logs of pods
  std::string git_control_group = "/skiff/git";  // where git is bounded
  std::string host_ca_bundle = "/etc/ssl/certs/ca-certificates.crt";
};

class Platform {
 public:
  // Loop, network and API outlive it.
  Platform(io::Loop& loop, io::Network& network, kube::Client& api, PlatformOptions options);
  ~Platform();
  // Takes up what was going on: repositories, followers of pods' logs.
  io::Task<Result<void>> start();
  // Answers the Platform API and git; authenticated here.
  net::Handler handler();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff::platform
