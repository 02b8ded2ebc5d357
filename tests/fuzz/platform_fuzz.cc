// What the platform reads from those who push, from the edge, from containers and from its own files:
// Procfiles, names, buildpacks, submodules, frames of log lines, output with times, records, limits of
// builds and what builds leave. No crash; an accepted Procfile has only names that can be process types; no
// password of a buildpack's address is shown; an accepted submodule lies below the app; output is cut and
// made plain the same however it arrives, and nothing plain steers a terminal; what a build reports is
// bounded; a record that is read is written back as it was.
#include "input.h"
#include "platform/apps/buildpacks.h"
#include "platform/apps/procfile.h"
#include "platform/builds/build_details.h"
#include "platform/builds/limits.h"
#include "platform/builds/plain_text.h"
#include "platform/builds/stack_layers.h"
#include "platform/builds/submodules.h"
#include "platform/logs/collector.h"
#include "platform/logs/frames.h"
#include "platform/logs/log_record.h"

namespace {

using namespace skiff;

void check_buildpack(std::string_view text) {
  const auto entry = platform::parse_buildpack(text);
  if (!entry) return;
  fuzz::require(entry->size() <= platform::kMaxBuildpackBytes && entry->find('\n') == std::string::npos);
  fuzz::require(platform::parse_buildpack(*entry) == *entry);
  const std::string shown = platform::show_buildpack(*entry);
  fuzz::require(platform::show_buildpack(shown) == shown);
}

void check_submodules(std::string_view text) {
  const auto submodules = platform::parse_submodules(text);
  if (!submodules) return;
  fuzz::require(submodules->size() <= platform::kMaxSubmodules);
  for (const auto& [commit, path] : *submodules) {
    fuzz::require(!path.empty() && path.front() != '/' &&
                  ("/" + path + "/").find("/../") == std::string::npos);
  }
  fuzz::require(platform::parse_submodules(platform::encode_submodules(*submodules)) == *submodules);
}

bool steers_a_terminal(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\t') || byte == 0x7f) return true;
  }
  return text.find("\xC2\x9B") != text.npos;
}

void check_what_a_build_leaves(std::string_view text) {
  constexpr size_t kMostReported = 64, kMostPhases = 16;
  (void)platform::parse_build_limits(text);
  fuzz::require(platform::parse_phases(text).size() <= kMostPhases);
  const auto report = platform::parse_report(text);
  fuzz::require(report.size() <= kMostReported);
  for (const auto& [key, value] : report) fuzz::require(!steers_a_terminal(key + value));
  if (const auto names = platform::parse_layer_names(text)) {
    const auto again = platform::parse_layer_names(platform::join_layers(*names, "\n"));
    fuzz::require(again && *again == *names && platform::has_layers(*names, *again));
  }
  platform::PlainText halves;
  const std::string plain =
      halves.take(text.substr(0, text.size() / 2)) + halves.take(text.substr(text.size() / 2));
  fuzz::require(plain == platform::plain_text(text) && !steers_a_terminal(plain));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace skiff;
  fuzz::Input input(data, size);
  const size_t choice = input.choose(7);
  if (choice == 2) {
    const auto text = input.rest();
    platform::OutputCutter whole({}), halves({});
    const auto all = whole.add(text);
    const auto first = halves.add(text.substr(0, text.size() / 2)),
               second = halves.add(text.substr(text.size() / 2));
    fuzz::require(all.size() == first.size() + second.size());
    return 0;
  }
  if (choice == 3) {
    std::optional<uint64_t> number;
    platform::LogOrigins origins;
    (void)platform::parse_head_line(input.rest(), number, origins);
    const auto record = platform::parse_record(input.rest());
    if (!record) return 0;
    const std::string line = platform::encode_record(*record);
    const auto again = platform::parse_record(std::string_view(line).substr(0, line.size() - 1));
    fuzz::require(again && again->text == record->text && again->time == record->time);
    return 0;
  }
  if (choice == 5) {
    check_buildpack(input.rest());
    return 0;
  }
  if (choice == 6) {
    check_submodules(input.rest());
    return 0;
  }
  if (choice == 4) {
    check_what_a_build_leaves(input.rest());
    return 0;
  }
  if (choice == 0) {
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
