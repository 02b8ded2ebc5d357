#include "cpus.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

namespace ipify {
namespace {

// Empty if there is no such file.
std::string read_file(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::optional<unsigned> quota() {
  if (const auto v2 = parse_cpu_max(read_file("/sys/fs/cgroup/cpu.max"))) return v2;
  // cgroup v1 says -1 for no limit, which is no number here.
  return parse_cpu_max(read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") + " " +
                       read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
}

unsigned scheduler_mask() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

// Cuts the next number off `text`; nothing if something else stands there.
std::optional<unsigned long> take_number(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  unsigned long value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

}  // namespace

std::optional<unsigned> parse_cpu_max(std::string_view text) {
  const auto limit = take_number(text);
  const auto period = take_number(text);
  if (!limit || !period || *limit == 0 || *period == 0) return std::nullopt;
  return static_cast<unsigned>((*limit - 1) / *period + 1);
}

unsigned available_processors() {
  const unsigned mask = scheduler_mask();
  return std::min(mask, quota().value_or(mask));
}

}  // namespace ipify
