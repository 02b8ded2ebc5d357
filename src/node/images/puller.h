// The node's image service: local images from the instance's folder, all others from registries through
// skopeo.
//
// A local image "skiff.local/<repository>:<tag>" is the OCI layout <local_images>/<repository> with that tag;
// an app's is for the pods of its namespace (local_images.h).
// Its record is refreshed whenever the tag points to another image. Pulls of one image at a time are shared.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "io/long_work.h"
#include "io/loop.h"
#include "io/sync.h"
#include "node/images/reference.h"
#include "node/images/stack_layers.h"
#include "node/images/store.h"

namespace skiff::node {

struct PullerOptions {
  NodePaths paths;
  std::string local_images;    // folder of OCI layouts
  std::string layer_recipes;   // folder of the recipes of stack layers; "": there are none
  std::string machine_layers;  // folder of the machine's ready stack layers; ""
  std::string machine_stacks;  // folder of its ready stacks; ""
  std::string skopeo = "/usr/bin/skopeo";
  Duration pull_limit = std::chrono::minutes(15);
};

class Puller final : public ImageService {
 public:
  Puller(io::Loop& loop, PullerOptions options);
  // Reads what is there and sets aside what a killed agent left. Blocking, once; remove_leftovers() then
  // frees it.
  Result<void> open();
  // Once, after open() and before any image is asked for: trusts the layers of versions that kept no seals.
  io::Task<Result<void>> seal_old_layers();
  io::Task<void> remove_leftovers();

  bool present(const std::string& reference) const override;
  io::Task<ImageOutcome> ensure(std::string reference, std::string name_space, PullPolicy policy,
                                std::string docker_config, Tell tell) override;
  std::optional<std::string> read_file(const Image& image, const std::string& path) const override;
  std::vector<Image> list() const override { return store_.list(); }

  // Frees what no name of `in_use` (references as pods write them, asked when it begins) needs: local images
  // whose tag is gone, and, when `pressed`, images from registries too. One at a time; others wait.
  enum class Pressure { kNone, kDiskFull };
  using InUse = std::function<std::vector<std::string>()>;
  io::Task<Result<void>> collect(InUse in_use, Pressure pressure);

 private:
  struct Pull {
    explicit Pull(io::Loop& loop) : done(loop) {}
    io::Event done;
    Result<Image> result = fail(Code::kCancelled, "the pull was given up");
  };
  io::Task<Result<Image>> fetch(Reference reference, std::string name, std::string docker_config);
  // Once more, when a blob of the stack was damaged: without it.
  io::Task<Result<Image>> fetch_mended(Reference reference, std::string name, Tell tell, Error damage);
  io::Task<Result<Image>> fetch_remote(Reference reference, std::string docker_config);
  io::Task<Result<void>> remember(std::string canonical, Image image);
  io::Task<Result<Image>> import(std::string layout, std::string tag);
  io::Task<bool> is_whole(Image image);
  Result<void> forget_unused(const std::vector<std::string>& in_use, Pressure pressure);
  std::string local_layout(const Reference& reference) const;

  io::Loop& loop_;
  PullerOptions options_;
  ImageStore store_;
  StackLayers layers_;
  std::map<std::string, std::shared_ptr<Pull>> pulls_;
  std::set<std::string> whole_;  // ids of images that were found whole, or made, in this agent's life
  uint64_t last_pull_ = 0;
  bool clearing_ = false;  // files of the store are being removed
  io::Event cleared_;
  io::LongWork walks_;
};

}  // namespace skiff::node
