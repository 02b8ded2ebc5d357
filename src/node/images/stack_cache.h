// Ready stack images of the machine, so that only its first instance makes them.
//
// A folder with one OCI layout for each recipe, named by it. A layout appears there by a rename after
// everything in it was synced, so one that is there is whole; whoever makes it holds a lock, and others wait
// for the outcome. Files are shared by hard links where the file systems are the same, else copied: an
// instance that is removed takes nothing from others, and the folder may be deleted at any time.
#pragma once

#include <string>

#include "base/result.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/task.h"

namespace skiff::node {

class StackCache {
 public:
  // `folder` is made when it is needed; `key` names the recipe.
  StackCache(std::string folder, std::string key) : folder_(std::move(folder)), key_(std::move(key)) {}
  // The right to make the images; waits while another process makes them. Its end, however it comes, lets the
  // next one try. Timeout after kMakingLimit.
  io::Task<Result<io::UniqueFd>> lock(io::Loop& loop) const;
  // Replaces the layout in `target` by the one kept here. NotFound when there is none. Blocking.
  Result<void> copy_to(const std::string& target) const;
  // Keeps the layout in `source`, and none of other recipes. Blocking.
  Result<void> keep(const std::string& source) const;

 private:
  std::string entry() const { return folder_ + "/" + key_; }
  std::string folder_, key_;
};

}  // namespace skiff::node
