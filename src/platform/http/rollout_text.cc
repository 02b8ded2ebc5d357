#include "platform/http/rollout_text.h"

#include <fmt/core.h>

#include "base/strings.h"

namespace skiff::platform {

namespace {

std::string shown_lines(const std::string& lines) {
  std::string out;
  for (const auto& line : split(lines, '\n')) {
    if (!line.empty()) out += "         " + line + "\n";
  }
  return out.empty() ? out : "       Its last lines:\n" + out;
}

// Who serves meanwhile, and the way back to it.
std::string way_back(const std::string& app, const Rollout& rollout) {
  if (rollout.serving.empty()) {
    const std::string nothing = fmt::format("       Nothing serves now. See skiff logs -a {}", app);
    if (rollout.back.empty()) return nothing + "; no release before it came up\n";
    return nothing + fmt::format(", and skiff rollback {} -a {} for the last release that came up\n",
                                 rollout.back, app);
  }
  const std::string version = split(rollout.serving, ',').front();
  if (version == release_name(rollout.version)) return "";
  return fmt::format("       {} serves. To go back to it: skiff rollback {} -a {}\n", rollout.serving,
                     version, app);
}

}  // namespace

std::string rollout_text(const std::string& app, const std::string& url, const Rollout& rollout,
                         const std::string& lines) {
  const std::string name = release_name(rollout.version);
  if (rollout.outlook == Rollout::Outlook::kNoDynos && rollout.phase != kFailed)
    return fmt::format("       {} released; {} -a {}\n", name, rollout.message, app);
  if (rollout.phase == kSucceeded)
    return fmt::format("       {} is up\n       {} deployed to Skiff\n", name, url);
  if (rollout.phase == kSuperseded) return fmt::format(" !     {}: {}\n", name, rollout.message);
  if (rollout.phase == kFailed) {
    return fmt::format(" !     {} does not come up: {}\n", name, rollout.message) + shown_lines(lines) +
           way_back(app, rollout);
  }
  const bool needs_room = rollout.outlook == Rollout::Outlook::kNeedsRoom;
  const std::string why = rollout.message.empty() ? "its dynos are not ready yet" : rollout.message;
  return fmt::format(" !     {} is not up yet: {}\n", name, why) + shown_lines(lines) +
         (needs_room ? "       It starts as soon as there is room: scale something down, or make the machine "
                       "larger\n"
                     : fmt::format("       It goes on; skiff ps -a {} shows how\n", app)) +
         way_back(app, rollout);
}

}  // namespace skiff::platform
