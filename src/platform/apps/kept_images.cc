// Which images of an app are kept.
#include <algorithm>

#include "io/sync.h"
#include "platform/apps/apps.h"
#include "platform/images/layout_writer.h"

namespace skiff::platform {

// A pod is made again with the image that it had, however old: it may be what serves while newer builds
// crash.
io::Task<Result<void>> Apps::prune_images(std::string app) {
  auto all = co_await releases(app);
  SKIFF_CO_RETURN_IF_ERROR(all);
  auto running = co_await pods(app);
  SKIFF_CO_RETURN_IF_ERROR(running);
  std::set<std::string> used;
  for (size_t i = all->size() - std::min(all->size(), kKeptImages); i < all->size(); ++i) {
    used.insert((*all)[i].image);
  }
  for (const auto& pod : *running) used.insert(pod["spec"]["containers"].at(0)["image"].str());
  auto pruned =
      co_await io::run_blocking(loop_, [images = images_, app = std::move(app), used = std::move(used)] {
        return prune_app_images(images, app, used);
      });
  co_return pruned;
}

}  // namespace skiff::platform
