// Apps and their releases, kept in the cluster as resources of the group skiff.dev.
//
// The app shop is the namespace shop with the App shop in it, which says what should run: a release, a
// formation, maintenance. A release is an immutable Release "v<N>" and an immutable Secret "config-v<N>".
// Deployments, Service and Ingress follow from the App: roll_out() writes them when the App's generation is
// newer than what its status says was written, so a change made with kubectl stays until the app changes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/scope.h"
#include "kube/client/client.h"
#include "platform/apps/app_spec.h"
#include "platform/apps/release.h"

namespace skiff::platform {

class Apps {
 public:
  // `images` holds the layouts of skiff.local/ images; `url_port` is ":8080" or "".
  Apps(io::Loop& loop, kube::Client& api, std::string images, std::string domain, std::string url_port)
      : loop_(loop),
        api_(api),
        images_(std::move(images)),
        domain_(std::move(domain)),
        url_port_(std::move(url_port)),
        scope_(loop) {}
  // Rolls out what is not, now and whenever an App changes; takes up what destroyed apps left.
  void start() {
    scope_.spawn(follow_apps(this));
    scope_.spawn(remove_left_images(this));
  }

  io::Task<Result<std::vector<json::Value>>> list();   // Apps
  io::Task<Result<json::Value>> get(std::string app);  // the App; NotFound in Heroku's words
  // Makes room for an app: what one of its name, deleted with kubectl, has left goes, and what it needs is
  // made.
  using Prepare = std::function<io::Task<Result<void>>(std::string app)>;
  // `prepare` is done before there is an App, so that none is ever seen with another's things. One that a
  // platform began and did not finish is taken up.
  io::Task<Result<void>> create(std::string app, Prepare prepare = nullptr);
  // Returns when no release of the app is being made.
  io::Task<void> settle(std::string app);
  // The app's images go later, when its last pod has gone. Returns when its name can be taken again, or after
  // a while (gone_apps.cc) when a pod takes long to end.
  io::Task<Result<void>> destroy(std::string app);

  // Marks releases as failed that were made but never became the App's: their maker died in between.
  io::Task<Result<void>> end_half_made(std::string app);
  io::Task<Result<std::vector<Release>>> releases(std::string app);  // by version
  io::Task<Result<Release>> release(std::string app, int version);
  io::Task<Result<json::Value>> config(std::string app);                  // of the release that should run
  io::Task<Result<json::Value>> config_of(std::string app, int version);  // none for 0
  // Changes config vars (null removes) in a new release, rolled out when the app has a build. No release when
  // nothing changes.
  io::Task<Result<std::optional<Release>>> change_config(std::string app, json::Value changes);
  // A change is made once the App says so: what can't be rolled out then is tried until it can, and the
  // release is written later.
  io::Task<Result<Release>> release_slug(std::string app, Slug slug);
  // A new release with image, types and config of an old one.
  io::Task<Result<Release>> roll_back(std::string app, int version);

  struct Process {
    std::string type, command;
    int quantity = 0;
  };
  io::Task<Result<std::vector<Process>>> formation(std::string app);
  // All of the changes or none.
  io::Task<Result<void>> scale(std::string app, std::map<std::string, int> quantities);
  // restart.cc. `which` is a dyno, a process type or "" for all. The dynos of a type are replaced as in a
  // rolling update; one that is named is ended, and another takes its place.
  io::Task<Result<void>> restart(std::string app, std::string which);
  // Ends a dyno, or all those of a process type at once. Others take their places: none run when it is scaled
  // to 0.
  io::Task<Result<void>> stop(std::string app, std::string which);
  io::Task<Result<void>> set_maintenance(std::string app, Maintenance maintenance);
  io::Task<Result<std::vector<std::string>>> buildpacks(std::string app);
  // What the body of a PUT (buildpacks.h) makes of them; the next build has them.
  io::Task<Result<std::vector<std::string>>> set_buildpacks(std::string app, json::Value body);
  io::Task<Result<std::vector<json::Value>>> pods(std::string app);
  std::string web_url(const std::string& app) const;

 private:
  using Change = std::function<void(AppSpec&)>;
  static io::Task<void> follow_apps(Apps* self);
  static io::Task<void> roll_out_later(Apps* self, std::string app);
  static io::Task<void> remove_left_images(Apps* self);
  static io::Task<void> stop_builds(Apps* self, std::string app);
  static io::Task<void> remove_images_later(Apps* self, std::string app);
  io::Task<Result<void>> remove_images(std::string app);
  io::Task<Result<void>> create_object(std::string app, Prepare prepare);
  io::Task<void> wait_until_gone(std::string app);
  // What runs, and what the newest releases run or can go back to, stays. Needs the app's turn in releasing_:
  // a rollback counts on the image that it found.
  io::Task<Result<void>> prune_images(std::string app);
  // The caller has the app's turn in releasing_, from before it read what the new release goes on from.
  io::Task<Result<Release>> make_release(std::string app, Release release, json::Value config);
  io::Task<Result<std::map<std::string, int>>> find_stopped(std::string app,
                                                            std::map<std::string, std::string> types);
  io::Task<Result<std::optional<Release>>> try_release(std::string app, Release release, json::Value config);
  enum class Writing { kDone, kLater };
  // Changes the App's spec, whoever else does, and rolls out: later when that fails, for the change is made.
  io::Task<Result<Writing>> change_app(std::string app, Change change);
  io::Task<Result<void>> roll_out(std::string app);
  io::Task<Result<void>> write_routes(std::string app, AppSpec spec, Release release);
  io::Task<Result<void>> write_deployments(std::string app, AppSpec spec, Release release);
  io::Task<Result<void>> note_rolled_out(std::string app, json::Value object, Release release);
  io::Task<Result<void>> apply(std::string collection, std::string name, json::Value object);
  io::Loop& loop_;
  kube::Client& api_;
  std::string images_;
  std::string domain_;
  std::string url_port_;
  std::set<std::string> releasing_;
  std::set<std::string> rolling_out_;
  std::set<std::string> retrying_;  // apps whose rollout failed
  io::TaskScope scope_;
};

}  // namespace skiff::platform
