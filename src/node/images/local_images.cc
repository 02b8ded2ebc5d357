#include "node/images/local_images.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "io/file.h"

namespace skiff::node {

namespace {

constexpr const char* kOwner =
    "/skiff-app";  // the file with the app's name (platform/images/layout_writer.h)
constexpr size_t kMostOwnerBytes = 256;

}  // namespace

Result<void> check_local_use(const std::string& layout, const Reference& reference,
                             const std::string& name_space) {
  if (!reference.digest.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("images of {} have no digests in their names; name the tag", kLocalDomain));
  }
  const auto owner = io::read_file(layout + kOwner, kMostOwnerBytes);
  const bool is_nobodys =
      !owner && owner.error().code == Code::kNotFound && io::path_exists(layout + "/index.json");
  // An app's own pods start again from the store when the layout is away.
  if (is_nobodys || (owner ? trim(*owner) : reference.repository) == name_space) return {};
  return fail(Code::kNotFound, fmt::format("there is no image {} that pods of the namespace {} may run",
                                           reference.canonical(), name_space));
}

}  // namespace skiff::node
