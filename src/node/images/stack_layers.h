// The images skiff.local/stack:build-A-B and :run-A: stack layers of languages over the base stack. A layer
// is made when an image that needs it is first asked for, or taken from the machine's ready ones; who asks
// for one that is being made waits for it. A making goes on when those who wait are gone: the next one has
// it.
//
//   auto ready = co_await layers.ensure("build-node-ruby", tell);   // the layout has the tag
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/long_work.h"
#include "io/scope.h"
#include "node/images/layer_maker.h"
#include "node/images/layer_store.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

struct StackLayersOptions {
  std::string layout;   // of the instance's stack images
  std::string recipes;  // folder of the layers' recipes; "": there are no layers
  std::string machine;  // folder of the machine's ready layers; "": none, each instance makes its own
  std::string stacks;   // folder of the machine's ready stacks; ""
  NodePaths paths;
  std::string unshare = "/usr/bin/unshare";
};

class StackLayers {
 public:
  StackLayers(io::Loop& loop, StackLayersOptions options);
  // Makes what the tag needs. `tell` hears what goes on, only until this ends. NotFound: a layer has no
  // recipe. An error of apt's is not remembered: the next call tries anew.
  io::Task<Result<void>> ensure(std::string tag, TellLayer tell);
  // Removes what of the tag's blobs is damaged, here and where the machine keeps it ready: ensure() then
  // makes layers anew. NotFound when nothing is damaged, Unavailable when the base is.
  io::Task<Result<void>> mend(std::string tag);
  // Whether layers are being made, over folders of the store that no image may name.
  bool busy() const { return !makings_.empty(); }
  // What makings of an agent that was killed left: set aside. Blocking, once, before anything else.
  Result<void> set_leftovers_aside() const;

 private:
  struct Making {
    explicit Making(io::Loop& loop) : done(loop) {}
    io::Event done;
    Result<void> result = fail(Code::kCancelled, "the stack layer was given up");
    std::map<uint64_t, TellLayer> listeners;
    std::string last;  // that they were told
    void tell(const std::string& message);
  };
  io::Task<Result<void>> ensure_layer(LayerRecipe recipe, TellLayer tell);
  io::Task<void> run_making(LayerRecipe recipe, std::shared_ptr<Making> making);
  io::Task<Result<void>> take_or_make(LayerRecipe recipe, TellLayer tell);
  io::Task<Result<void>> make(LayerRecipe recipe, std::string key, std::string work, TellLayer tell);
  io::Task<Result<LayerGround>> prepare(std::string work);
  io::Task<Result<void>> install(LayerRecipe recipe, std::string from, ReadyLayer layer);
  std::string work_folder(const std::string& layer) const;

  io::Loop& loop_;
  StackLayersOptions options_;
  StackLayout layout_;
  LayerStore ready_;
  std::map<std::string, std::shared_ptr<Making>> makings_;  // by layer
  uint64_t last_listener_ = 0;
  io::LongWork work_;
  io::TaskScope scope_;
};

}  // namespace skiff::node
