// Gives back the disk that destroyed apps took: repositories, caches, outputs of builds and images that no
// app has any more, because the platform was killed while it destroyed one, or because the namespace was
// deleted with kubectl.
//
// A failed question is not a "no": only an app that the API does not know, and whose namespace it does not
// know either, has garbage, and only what nobody has written to for a while counts. Belongs to one loop;
// removal runs in the pool.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "io/loop.h"
#include "io/task.h"
#include "kube/client/client.h"
#include "platform/apps/apps.h"

namespace skiff::platform {

struct DiskPlaces {
  std::string data;    // DATA/platform
  std::string images;  // DATA/images
};

// Names of apps that something on the disk bears though `known` does not have them, and that was last changed
// before `before`. Blocking.
std::set<std::string> find_garbage(const DiskPlaces& places, const std::set<std::string>& known,
                                   WallTime before);
// All that the platform keeps of an app on the disk, but for its log. Blocking.
Result<void> remove_app_files(const DiskPlaces& places, const std::string& app);

// The same but for its images. Blocking.
Result<void> remove_work_files(const DiskPlaces& places, const std::string& app);
// What builds of the app keep: caches and outputs. Blocking.
Result<void> remove_build_files(const DiskPlaces& places, const std::string& app);
// Gives an app's work files another app's name; fine when it was done before. Blocking.
Result<void> rename_work_files(const DiskPlaces& places, const std::string& from, const std::string& to);

// Removes what killed processes left of files that they were writing into images and outputs of builds.
// Blocking.
void sweep_unpublished_files(const DiskPlaces& places);

class DiskCare {
 public:
  DiskCare(io::Loop& loop, kube::Client& api, Apps& apps, DiskPlaces places)
      : loop_(loop), api_(api), apps_(apps), places_(std::move(places)) {}
  // For ever: at the start and then each hour.
  static io::Task<void> run(DiskCare* self);

 private:
  io::Task<Result<void>> sweep();
  io::Loop& loop_;
  kube::Client& api_;
  Apps& apps_;
  DiskPlaces places_;
};

}  // namespace skiff::platform
