// Whether an unpacked layer is still what was unpacked: a record beside the layers holds the shape of each
// (io/tree.h), written before the layer gets its name. After a power cut or a slip of a hand, files may be
// empty or missing; such a layer is made again instead of trusted for ever. Blocking.
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "node/runtime/node_paths.h"

namespace skiff::node {

// Records the shape of what is in `folder` as that of the layer.
Result<void> seal_layer(const NodePaths& paths, const std::string& layer, const std::string& folder);
// False as well for a layer without a record, and one that is not there.
bool layer_is_whole(const NodePaths& paths, const std::string& layer);
void forget_seal(const NodePaths& paths, const std::string& layer);
// Removes what killed agents left of records that they were writing. Before any layer is sealed.
void sweep_seals(const NodePaths& paths);

// Versions before the seals trusted every layer, and containers run on theirs: once, when there are no seals
// at all, the layers get one as they are. Not those that show what a power cut leaves: nothing in them, or
// programs (by folder or by their execute bit), libraries or all files without a byte.
Result<void> seal_old_layers(const NodePaths& paths, const std::set<std::string>& layers);

}  // namespace skiff::node
