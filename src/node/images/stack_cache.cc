#include "node/images/stack_cache.h"

#include "base/log.h"
#include "io/durable.h"
#include "node/images/layout_write.h"
#include "node/images/shared_tree.h"

namespace skiff::node {

namespace {

constexpr Duration kMakingLimit = std::chrono::minutes(25);  // two steps of ten minutes, and copies

}  // namespace

io::Task<Result<io::UniqueFd>> StackCache::lock(io::Loop& loop) const {
  auto made = io::make_directories(folder_);
  if (!made) co_return std::unexpected(made.error());
  auto taken = co_await wait_for_lock(loop, folder_ + "/lock", kMakingLimit);
  if (taken) remove_partial_copies(entry());
  if (!taken && taken.error().code == Code::kTimeout) {
    co_return fail(Code::kTimeout, "another instance has been making the stack images for long: " + folder_);
  }
  co_return taken;
}

Result<void> StackCache::copy_to(const std::string& target) const {
  if (!io::path_exists(entry())) return fail(Code::kNotFound, "no stack images are kept in " + folder_);
  // Of a version that made a new stack into the layout of the old one.
  auto pruned = prune_layout(entry(), [](const std::string&) { return true; });
  if (!pruned) log_warn("what the kept stack does not need stays", {{"error", pruned.error().message}});
  const size_t slash = target.rfind('/');
  SKIFF_RETURN_IF_ERROR(io::make_directories(target.substr(0, slash)));
  return put_copy(entry(), target);
}

Result<void> StackCache::keep(const std::string& source) const {
  // Files that a killed process left among them would be kept with the rest.
  for (const auto& folder : {source, source + "/blobs/sha256"}) io::sweep_unpublished(folder);
  for (const auto& name : io::list_directory(folder_).value_or(std::vector<std::string>{})) {
    if (name != "lock" && name != key_) SKIFF_RETURN_IF_ERROR(io::remove_tree(folder_ + "/" + name));
  }
  return put_copy(source, entry());
}

}  // namespace skiff::node
