#include "skiff/stuck.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "base/symbols.h"
#include "io/file.h"

namespace skiff {

namespace {

struct Module {
  uint64_t begin, end;
  std::string path;
};

// The files mapped into the process, each from its first mapping to its last.
std::vector<Module> list_modules(pid_t process) {
  std::vector<Module> out;
  const auto maps = io::read_file(fmt::format("/proc/{}/maps", process));
  for (const auto& line : split(maps.value_or(""), '\n')) {
    unsigned long begin = 0, end = 0;
    int path_at = 0;
    const std::string text(line);
    if (std::sscanf(text.c_str(), "%lx-%lx %*s %*s %*s %*s %n", &begin, &end, &path_at) < 2) continue;
    const std::string path = text.substr(std::min(static_cast<size_t>(path_at), text.size()));
    if (path_at == 0 || !path.starts_with('/')) continue;
    if (!out.empty() && out.back().path == path) {
      out.back().end = end;
    } else {
      out.push_back({begin, end, path});
    }
  }
  return out;
}

std::string describe_frame(uint64_t address, const std::vector<Module>& modules, const Symbols& symbols) {
  for (size_t i = 0; i < modules.size(); ++i) {
    const auto& module = modules[i];
    if (address < module.begin || address >= module.end) continue;
    const uint64_t offset = address - module.begin;
    // The binary is mapped first. A return address may lie behind its function's end: one back is in the
    // call.
    const std::string name = i == 0 ? symbols.name_at(offset - 1) : "";
    const std::string file = module.path.substr(module.path.rfind('/') + 1);
    return name.empty() ? fmt::format("{}+{:#x}", file, offset)
                        : fmt::format("{} ({}+{:#x})", name, file, offset);
  }
  return fmt::format("{:#x}", address);
}

}  // namespace

ThreadState thread_state(pid_t process, int32_t thread) {
  const auto text = io::read_file(fmt::format("/proc/{}/task/{}/status", process, thread));
  for (const auto& line : split(text.value_or(""), '\n')) {
    constexpr std::string_view kState = "State:\t", kTracer = "TracerPid:\t";
    if (line.starts_with(kState)) {
      const char state = line.size() > kState.size() ? line[kState.size()] : 'R';
      if (state == 'T') return ThreadState::kStopped;
      if (state == 't') return ThreadState::kTraced;
      if (state == 'D') return ThreadState::kInKernel;
    }
    if (line.starts_with(kTracer) && line.substr(kTracer.size()) != "0") return ThreadState::kTraced;
  }
  return ThreadState::kRunnable;
}

std::vector<std::string> describe_stack(pid_t process, std::span<const uintptr_t> frames,
                                        const std::string& binary) {
  const auto modules = list_modules(process);
  const auto symbols = Symbols::read(binary).value_or(Symbols{});
  std::vector<std::string> out;
  for (const uintptr_t frame : frames) {
    out.push_back(fmt::format("#{} {}", out.size(), describe_frame(frame, modules, symbols)));
  }
  return out;
}

}  // namespace skiff
