// The record of a container on disk: what a restarted agent adopts it by.
#pragma once

#include <string>

#include "node/runtime/runtime.h"

namespace skiff::node {

// Files of a bundle, relative to its folder.
constexpr const char* kRecordFile = "/record.json";
constexpr const char* kConfigFile = "/config.json";
constexpr const char* kPidFile = "/pid";
constexpr const char* kConmonPidFile = "/conmon.pid";
constexpr const char* kExitFile = "/exit";    // written by conmon: the exit code in decimal
constexpr const char* kOomFile = "/oom";      // made by conmon when the kernel killed for memory
constexpr const char* kControlFifo = "/ctl";  // conmon's orders

json::Value encode_record(const ContainerRun& run);
Result<ContainerRun> parse_record(const json::Value& record);

// Fills in how the container ended from what conmon left: exit code, time, reason.
void read_exit(const std::string& bundle, ContainerRun& run);
// For a container whose end nobody saw.
void mark_lost(ContainerRun& run, WallTime now);

// Without fsync: after a power loss no container lives, so a lost record does not matter.
Result<void> write_quick(const std::string& path, std::string_view data);

}  // namespace skiff::node
