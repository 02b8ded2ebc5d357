// Ready stack layers: where they lie, in the folder of the machine for all its instances, and how one gets
// into an instance's layout of stack images. Blocking.
//
// An entry is a folder NAME-KEY: the layer's blobs, and layer.json, which names them. It appears by a rename
// after all of it was synced. The key is of all that the layer depends on, so that an entry never changes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/images/layer_maker.h"
#include "node/images/layer_recipe.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

struct ReadyLayer {
  std::string name, key;
  std::string run, build;  // digests of its blobs; `run` is "" when there is no run set
};

// The unpacked base of the stack in `layout`, in the store of these paths; what it lacks is unpacked there.
Result<LayerGround> unpack_ground(const NodePaths& paths, const std::string& layout);
// Writes blobs and layer.json of what was made into an empty folder; the tars are moved.
Result<ReadyLayer> write_layer_entry(const std::string& folder, const std::string& name,
                                     const std::string& key, const LayerTars& tars);
// DataLoss when the folder's blobs are not there as they were.
Result<ReadyLayer> read_layer_entry(const std::string& folder);

// Removes the blob from the layouts and entries in `folder` when its bytes are not those that its digest
// says: nobody shall take it from there.
void forget_damaged_blob(const std::string& folder, const std::string& digest);

// What the blobs of an entry come to.
int64_t entry_bytes(const std::string& folder);

class LayerStore {
 public:
  explicit LayerStore(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  std::string lock_path() const { return folder_ + "/lock"; }
  std::string entry(const std::string& name, const std::string& key) const;
  // Keeps the entry `from`; others that nobody has taken for long go. For who has the lock.
  Result<void> keep(const std::string& from, const ReadyLayer& layer) const;

 private:
  std::string folder_;
};

// A layout of stack images with tags for layers. Its base is what the tag "build" names: the layer of apps,
// and that of builds over it.
class StackLayout {
 public:
  explicit StackLayout(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  // Of the file beside the layout that is held while it is changed.
  std::string lock_path() const { return folder_ + ".lock"; }
  // The digests of the base, lowest first.
  Result<std::vector<std::string>> base() const;
  // The key of the layer that a recipe makes over this base.
  Result<std::string> key(const LayerRecipe& recipe) const;
  bool has(const std::string& name, const std::string& key) const;
  // From the entry in `from`: the blobs, and the tags run-NAME and build-NAME; what only its predecessor
  // needed goes. For who has the lock.
  Result<void> install(const std::string& from, const ReadyLayer& layer) const;
  // Whether the tag is there as `tag` says, made of its layers' present tags.
  bool is_composed(const std::string& name, const StackTag& tag) const;
  // For who has the lock.
  Result<void> compose(const std::string& name, const StackTag& tag) const;
  // The digests of an image's blobs that are not there or not what their digests say; these are removed. For
  // who has the lock.
  std::vector<std::string> remove_damaged(const std::string& name) const;

 private:
  Result<void> prune() const;
  Result<std::vector<std::string>> digests_of(const StackTag& tag) const;
  std::string record(const std::string& name) const { return folder_ + "/layers/" + name; }
  std::string folder_;
};

}  // namespace skiff::node
