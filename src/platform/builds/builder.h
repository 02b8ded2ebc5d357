// Builds: from a source archive to an image of a release, in a pod of the build stack.
//
// A build has a folder DATA/builds/<id>: source.tar (input), out/slug.tar, out/Procfile, out/release.json
// (made in the pod). The cache folder of an app lives on between builds. Time, memory and disk of a build are
// bounded.
#pragma once

#include <functional>
#include <string>

#include "io/loop.h"
#include "kube/client/client.h"
#include "net/http_client.h"
#include "platform/apps/apps.h"

namespace skiff::platform {

struct BuilderOptions {
  std::string data;  // DATA/platform
  std::string images;
  std::string buildpacks;
  std::string host_ca_bundle;
  net::ClientOptions api;  // for the log of the build pod
};

class Builder {
 public:
  using Output = std::function<void(std::string_view)>;
  Builder(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps, BuilderOptions options);
  // Builds DATA/builds/<id>/source.tar and releases it. Output goes to people, line by line. An error's
  // message is for them too; the folder is removed in the end.
  io::Task<Result<Release>> build(std::string app, std::string id, std::string commit, Output output);
  std::string build_folder(const std::string& id) const { return options_.data + "/builds/" + id; }

 private:
  io::Task<Result<void>> run_pod(std::string app, std::string id, Output output);
  io::Task<Result<std::string>> wait_for_pod(std::string path, std::vector<std::string> phases);
  io::Task<Result<void>> follow_log(std::string log_path, Output output);
  io::Task<Result<Slug>> make_image(std::string app, std::string id, std::string commit);
  io::Task<Result<void>> write_environment(std::string id, json::Value vars);
  io::Loop& loop_;
  kube::Client& api_;
  Apps& apps_;
  BuilderOptions options_;
  net::HttpClient log_client_;
};

// Pure: the pod of a build. `proxies` are NAME=value of the host.
json::Value build_pod_manifest(const std::string& app, const std::string& id, const BuilderOptions& options,
                               const std::map<std::string, std::string>& proxies);
// The host's http_proxy, https_proxy, no_proxy, in both spellings.
std::map<std::string, std::string> host_proxies();

}  // namespace skiff::platform
