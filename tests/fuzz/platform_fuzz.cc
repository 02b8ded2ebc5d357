// What the platform reads from those who push and from the edge: Procfiles, names, frames of log lines. No
// crash; an accepted Procfile has only names that can be process types.
#include "input.h"
#include "platform/apps/procfile.h"
#include "platform/logs/frames.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace skiff;
  fuzz::Input input(data, size);
  if (input.choose(2) == 0) {
    const auto types = platform::parse_procfile(input.rest());
    if (!types) return 0;
    fuzz::require(types->size() <= platform::kMaxProcessTypes);
    for (const auto& [name, command] : *types) fuzz::require(!name.empty() && !command.empty());
    return 0;
  }
  for (const auto& frame : platform::parse_frames(input.rest())) {
    (void)platform::check_app_name(frame.app);
    (void)platform::check_config_name(frame.text);
  }
  return 0;
}
