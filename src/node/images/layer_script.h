// The script that makes a stack layer's two tars, run in a mount namespace by layer_maker.h.
#pragma once

namespace skiff::node {

extern const char* const kLayerScript;

}  // namespace skiff::node
