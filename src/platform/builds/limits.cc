#include "platform/builds/limits.h"

#include <fmt/core.h>

#include "base/json.h"
#include "io/file.h"

namespace skiff::platform {

namespace {

struct Setting {
  const char* name;
  int64_t BuildLimits::* member;
  int64_t least, most;
};

// buildpacks/README.md tells of them; how_to_raise() names them.
constexpr Setting kSettings[] = {
    {"seconds", &BuildLimits::seconds, 1, 24 * 3600},
    {"memoryMb", &BuildLimits::memory_mb, 64, 1 << 20},
    {"diskMb", &BuildLimits::disk_mb, 16, 1 << 20},
    {"slugMb", &BuildLimits::slug_mb, 1, 1 << 14},
    {"outputKb", &BuildLimits::output_kb, 1, 1 << 16},
    {"pushMb", &BuildLimits::push_mb, 1, 1 << 14},
    {"repositoryMb", &BuildLimits::repository_mb, 1, 1 << 20},
    {"gitMemoryMb", &BuildLimits::git_memory_mb, 32, 1 << 20},
    {"gitSeconds", &BuildLimits::git_seconds, 1, 24 * 3600},
};

const Setting* find_setting(const std::string& name) {
  for (const auto& setting : kSettings) {
    if (name == setting.name) return &setting;
  }
  return nullptr;
}

}  // namespace

Result<BuildLimits> parse_build_limits(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object()) return fail(Code::kInvalidArgument, "it is not a JSON object");
  BuildLimits limits;
  for (const auto& [name, wanted] : value->members()) {
    const Setting* setting = find_setting(name);
    if (!setting) return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no limit of a build", name));
    if (!wanted.is_int() || wanted.as_int() < setting->least || wanted.as_int() > setting->most) {
      return fail(Code::kInvalidArgument,
                  fmt::format("\"{}\" must be a number from {} to {}", name, setting->least, setting->most));
    }
    limits.*(setting->member) = wanted.as_int();
  }
  return limits;
}

Result<BuildLimits> read_build_limits(const std::string& data) {
  const std::string path = data + "/build-limits.json";
  if (!io::path_exists(path)) return BuildLimits{};
  auto text = io::read_file(path);
  if (!text) return std::unexpected(text.error());
  auto limits = parse_build_limits(*text);
  if (!limits) return wrap(limits.error(), path);
  return limits;
}

std::string how_to_raise(std::string_view name, int64_t value) {
  return fmt::format("raise \"{}\" ({}) in DATA/platform/build-limits.json", name, value);
}

std::string describe_seconds(int64_t seconds) {
  const bool minutes = seconds >= 60 && seconds % 60 == 0;
  const int64_t count = minutes ? seconds / 60 : seconds;
  return fmt::format("{} {}{}", count, minutes ? "minute" : "second", count == 1 ? "" : "s");
}

std::string describe_megabytes(int64_t megabytes) {
  if (megabytes >= 1024 && megabytes % 1024 == 0) return fmt::format("{} GB", megabytes / 1024);
  return fmt::format("{} MB", megabytes);
}

}  // namespace skiff::platform
