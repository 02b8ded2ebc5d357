// How many processors this process may really use: in a container that is rarely all of them.
#pragma once

#include <optional>
#include <string_view>

namespace ipify {

// The smaller of the scheduler's mask and the cgroup's quota, rounded up; at least 1.
unsigned available_processors();

// The quota in processors, rounded up, from "max 100000" or "150000 100000" (cgroup v2, cpu.max). Nothing if
// unlimited or unreadable.
std::optional<unsigned> parse_cpu_max(std::string_view text);

}  // namespace ipify
