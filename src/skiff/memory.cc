#include "skiff/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "io/sync.h"

namespace skiff {

namespace {

constexpr Duration kSettled = std::chrono::seconds(15);  // after the start: what a role begins is done
constexpr Duration kEvery = std::chrono::minutes(1);     // builds and roll-outs use more for a while
constexpr Duration kBusy = std::chrono::seconds(1);      // of CPU in that time: such a role is left alone
constexpr const char* kSelf = "/proc/self/smaps";

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool read_only_file = false;
};

// "7f12a000-7f12b000 r-xp 00000000 fe:00 1234    /usr/lib/libc.so.6"; nothing for the lines below it.
bool parse_mapping(const char* line, Mapping& out) {
  unsigned long begin = 0, end = 0;
  char permissions[5] = {}, path[2] = {};
  const int found = std::sscanf(line, "%lx-%lx %4s %*s %*s %*s %1s", &begin, &end, permissions, path);
  if (found < 3) return false;
  const std::string_view allowed = permissions;
  out = {begin, end, found == 4 && path[0] == '/' && (allowed == "r-xp" || allowed == "r--p")};
  return true;
}

// Mappings of which every page stands in its file as it is here: nothing is lost with them.
std::vector<Mapping> clean_mappings() {
  std::vector<Mapping> out;
  std::FILE* file = std::fopen(kSelf, "re");
  if (!file) return out;
  char line[512];
  Mapping current;
  while (std::fgets(line, sizeof line, file)) {
    if (parse_mapping(line, current)) continue;
    // Pages that relocation or a debugger changed are anonymous.
    constexpr std::string_view kAnonymous = "Anonymous:";
    if (!current.read_only_file || !std::string_view(line).starts_with(kAnonymous)) continue;
    if (std::strtol(line + kAnonymous.size(), nullptr, 10) == 0) out.push_back(current);
  }
  std::fclose(file);
  return out;
}

Duration cpu_time() {
  struct timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

void trim_memory_now() {
  ::malloc_trim(0);
  for (const auto& mapping : clean_mappings()) {
    ::madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
  }
}

io::Task<void> trim_memory(io::Loop& loop) {
  co_await io::sleep(loop, kSettled);
  trim_memory_now();
  for (;;) {
    const Duration used = cpu_time();
    co_await io::sleep(loop, kEvery);
    if (cpu_time() - used < kBusy) trim_memory_now();
  }
}

}  // namespace skiff
