// Apps and their releases, kept in the cluster.
//
// An app is a namespace with the label skiff.dev/app. A release is an immutable ConfigMap "release-v<N>" in
// it (image, process types, description) and an immutable Secret "config-v<N>" (the config vars). Making a
// release current writes the Deployments. The formation (how many of each type) is the replica counts of the
// Deployments.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/loop.h"
#include "kube/client/client.h"

namespace skiff::platform {

struct Release {
  int version = 0;
  std::string description;
  std::string image;  // "" before the first build
  std::string commit;
  std::map<std::string, std::string> types;  // process type to command
  std::string created_at;
};

struct Slug {
  std::string image;
  std::string commit;
  std::map<std::string, std::string> types;
};

class Apps {
 public:
  Apps(io::Loop& loop, kube::Client& api, std::string domain)
      : loop_(loop), api_(api), domain_(std::move(domain)) {}

  io::Task<Result<std::vector<std::string>>> list();
  io::Task<Result<json::Value>> get(std::string app);  // its namespace; NotFound in Heroku's words
  io::Task<Result<void>> create(std::string app);
  io::Task<Result<void>> destroy(std::string app);

  io::Task<Result<std::vector<Release>>> releases(std::string app);  // by version
  io::Task<Result<json::Value>> config(std::string app);             // of the newest release
  // Changes config vars (null removes) in a new release, rolled out when the app has a build.
  io::Task<Result<Release>> change_config(std::string app, json::Value changes);
  io::Task<Result<Release>> release_slug(std::string app, Slug slug);
  // A new release with image, types and config of an old one.
  io::Task<Result<Release>> roll_back(std::string app, int version);

  struct Process {
    std::string type, command;
    int quantity = 0;
  };
  io::Task<Result<std::vector<Process>>> formation(std::string app);
  io::Task<Result<void>> scale(std::string app, std::string type, int quantity);
  io::Task<Result<std::vector<json::Value>>> pods(std::string app);

 private:
  io::Task<Result<Release>> make_release(std::string app, Release release, json::Value config);
  io::Task<Result<void>> roll_out(std::string app, Release release);
  io::Task<Result<void>> apply(std::string collection, std::string name, json::Value object);
  io::Task<Result<json::Value>> config_of(std::string app, int version);
  io::Loop& loop_;
  kube::Client& api_;
  std::string domain_;
  std::set<std::string> releasing_;
};

}  // namespace skiff::platform
