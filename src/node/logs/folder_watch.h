// Tells of changes in folders, of all of them through one inotify instance: the kernel gives each user of a
// machine few (fs.inotify.max_user_instances), and root's are shared with everybody's services.
//
//   FolderWatches watches(loop);
//   auto watch = watches.watch(folder);   // while it lives
//   co_await (*watch)->changed().wait();
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "io/file.h"
#include "io/loop.h"
#include "io/sync.h"

namespace skiff::node {

class FolderWatch;

// Of the loop's thread; outlives its watches.
class FolderWatches final : public io::FdHandler {
 public:
  explicit FolderWatches(io::Loop& loop) : loop_(loop) {}
  ~FolderWatches() override;
  FolderWatches(const FolderWatches&) = delete;

  Result<std::unique_ptr<FolderWatch>> watch(const std::string& folder);

  void on_readable() override;
  void on_writable() override {}

 private:
  friend class FolderWatch;
  Result<void> open();
  void remove(int number, FolderWatch* watch);
  void wake(int number);

  io::Loop& loop_;
  io::UniqueFd fd_;                                                    // made with the first watch
  std::unordered_map<int, std::unordered_set<FolderWatch*>> watches_;  // by inotify's number of the folder
};

class FolderWatch {
 public:
  ~FolderWatch() { all_.remove(number_, this); }
  FolderWatch(const FolderWatch&) = delete;
  // Set by a change in the folder; whoever waits resets it.
  io::Event& changed() { return changed_; }

 private:
  friend class FolderWatches;
  FolderWatch(FolderWatches& all, io::Loop& loop, int number) : all_(all), number_(number), changed_(loop) {}
  FolderWatches& all_;
  int number_;
  io::Event changed_;
};

}  // namespace skiff::node
