// Gives apps other names (decision 36). A name can't be changed in place: it is that of a namespace. So the
// app is made anew under the new name, beside the old one, takes over when its dynos are as ready as the old
// ones, and the old namespace goes.
//
//   kCopying ──> kMoving ──> kRemoving ──> done     changes of the app are refused until kRemoving
//      └──> kUndoing ──> undone                     when its dynos don't come up under the new name
//
// The app answers to its old name until kMoving, to the new one from kRemoving on. The record (record.h) is
// in the cluster and each step can be taken again: whatever dies, start() goes on. One loop.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/scope.h"
#include "kube/client/client.h"
#include "platform/apps/apps.h"
#include "platform/disk_care.h"
#include "platform/logs/log_store.h"
#include "platform/renames/copies.h"
#include "platform/renames/record.h"

namespace skiff::platform {

// What else of the platform a rename has to know.
struct RenameWatch {
  // What goes on with an app and must not be cut in two, for people ("a build of shop"); "" for nothing.
  std::function<std::string(const std::string& app)> work;
  // An app's pods, as they are known; nothing while nobody knows.
  std::function<std::optional<std::vector<json::Value>>(const std::string& app)> pods;
};

class Renames {
 public:
  // All outlive it.
  Renames(io::Loop& loop, kube::Client& api, Apps& apps, LogStore& logs, DiskPlaces places,
          RenameWatch watch);
  // Takes up what a platform before this one left; before logs are begun.
  io::Task<Result<void>> start();
  // Takes the name. The rest goes on by itself from then on; an error means that nothing was changed.
  io::Task<Result<void>> begin(std::string from, std::string to);

  struct Outcome {
    enum class State {
      kUnknown,  // no such rename, or it ended long ago
      kGoing,
      kDone,    // the app has its new name; the old one is not free yet
      kFree,    // nor is anything left of the old one
      kUndone,  // the app has its old name
    } state = State::kUnknown;
    std::string why;  // it was undone
  };
  Outcome outcome(const std::string& from, const std::string& to) const;
  // Until it is free or undone, or for `limit`.
  io::Task<Outcome> wait(std::string from, std::string to, Duration limit);

  enum class Use { kLook, kChange, kEnd };  // kEnd: destroy it, or rename it again
  // Whether the name may be used so now: NotFound when it is no app's at present, Conflict or Unavailable,
  // with what to do, while a rename is in the way.
  Result<void> check(const std::string& app, Use use) const;
  // Of the two names of an app that is being renamed, one is hidden.
  bool hides(const std::string& name) const;
  // AlreadyExists while a rename needs the name.
  Result<void> check_free(const std::string& name) const;
  // The app that had this name before; "" when there is none. NotFound of an app is what it explains.
  io::Task<std::string> find_new_name(std::string name);

 private:
  enum class Step { kClaiming, kCopying, kMoving, kRemoving, kUndoing };
  struct Going {
    std::string to, uid;
    Step step = Step::kClaiming;
    MonotonicTime since{};  // when this platform began with it
    std::string why;        // it is undone
  };
  static io::Task<void> run(Renames* self, std::string from);
  io::Task<Result<void>> claim(std::string from, std::string to);
  io::Task<Result<void>> advance(std::string from);
  io::Task<Result<void>> copy(std::string from);
  io::Task<Result<void>> copy_objects(json::Value app, std::string to);
  io::Task<Result<void>> copy_kind(std::string plural, std::string kind, std::string from, std::string to);
  io::Task<Result<void>> copy_config(std::string from, std::string to);
  io::Task<Result<void>> copy_app(json::Value app, std::string to);
  io::Task<Result<void>> check_foreign(std::string app);
  // "" once its dynos can take over, else why they can't.
  io::Task<Result<std::string>> wait_for_dynos(std::string from, std::string to, AppSpec spec);
  io::Task<Result<void>> move(std::string from);
  io::Task<Result<void>> remove(std::string from);
  io::Task<Result<void>> undo(std::string from);
  io::Task<Result<void>> remove_namespace(std::string name);
  void take_up(const RenameRecord& record);
  void give_up(const std::string& from, const std::string& why);
  void end(const std::string& from, Outcome outcome);
  // The rename that a name takes part in; `from` of it.
  std::optional<std::string> find(const std::string& name) const;

  io::Loop& loop_;
  kube::Client& api_;
  Apps& apps_;
  LogStore& logs_;
  DiskPlaces places_;
  RenameWatch watch_;
  std::map<std::string, Going> going_;                            // by the old name
  std::map<std::pair<std::string, std::string>, Outcome> ended_;  // by both names
  io::TaskScope scope_;
};

}  // namespace skiff::platform
