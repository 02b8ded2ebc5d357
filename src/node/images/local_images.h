// Who may run the images that are made on this machine. A build's image holds the source and all else of its
// app: it is for the pods of the app's namespace, whose name the platform leaves in the layout. Images that
// are nobody's, as those of the stack, are for all. Blocking, a small read.
#pragma once

#include <string>

#include "base/result.h"
#include "node/images/reference.h"

namespace skiff::node {

// NotFound when pods of the namespace may not run it, in the words for an image that is not there: who may
// not have it learns nothing of it.
Result<void> check_local_use(const std::string& layout, const Reference& reference,
                             const std::string& name_space);

}  // namespace skiff::node
