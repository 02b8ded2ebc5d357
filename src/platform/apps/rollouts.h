// Follows the rollouts of all apps: writes how far each release is into its status and the App's, and lets
// others wait for the outcome. What the states mean is in rollout.h.
#pragma once

#include <map>
#include <set>
#include <string>

#include "io/scope.h"
#include "io/sync.h"
#include "kube/client/informer.h"
#include "net/http_client.h"
#include "platform/apps/apps.h"
#include "platform/apps/rollout.h"

namespace skiff::platform {

// A push, and a command that makes a release, wait for its dynos so long: a boot's time twice.
constexpr Duration kRolloutWait = std::chrono::seconds(120);
// Who waits for a dyno that no node has room for is told after this time.
constexpr Duration kRoomPatience = std::chrono::seconds(3);

class Rollouts {
 public:
  // `pods` are those of all apps; all outlive it. `options` leads to the API, for the output of dynos.
  Rollouts(io::Loop& loop, io::Network& network, kube::Client& api, Apps& apps, kube::Informer& pods,
           net::ClientOptions options);
  void start();
  // Until the release is up, has failed, was superseded, needs room or has no dyno that should run; or for
  // `limit`: the state as it is then.
  io::Task<Result<Rollout>> wait(std::string app, int version, Duration limit);
  // What the dyno wrote last, a few lines; "" when it can't be read. Without what moves a terminal's cursor.
  io::Task<std::string> last_lines(std::string app, std::string pod);

 private:
  void touch(const std::string& app);
  static io::Task<void> follow(Rollouts* self, std::string app);
  static io::Task<Result<void>> wait_for_change(Rollouts* self);
  io::Task<Result<void>> reconcile(std::string app);
  io::Task<Result<void>> write(std::string app, json::Value object, Rollout rollout);
  io::Task<Result<void>> supersede(std::string app, int version, std::vector<Release> all);

  io::Loop& loop_;
  kube::Client& api_;
  Apps& apps_;
  kube::Informer& pods_;
  kube::Informer objects_;  // Apps
  kube::Informer deployments_;
  net::HttpClient log_client_;
  std::map<std::string, Release> releases_;       // that should run, by app; with the phase last written
  std::map<std::string, std::string> ways_back_;  // likewise
  std::map<std::string, Rollout> states_;         // by app
  std::set<std::string> looked_;                  // apps whose half-made releases were ended
  std::set<std::string> going_, again_;           // apps that are looked at; that changed meanwhile
  io::Event changed_;
  io::TaskScope scope_;
};

// Pure: the end of a dyno's output as it can be shown: control characters but tabs and line ends are left
// out.
std::string clean_output(std::string_view text);

}  // namespace skiff::platform
