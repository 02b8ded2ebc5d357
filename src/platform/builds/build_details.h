// What is told of a build besides its text: how long its phases took, and what its buildpacks report. The
// build's own part of both is hostile input. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "io/loop.h"

namespace skiff::platform {

struct BuildPhase {
  std::string name;
  int64_t milliseconds = 0;
};

struct BuildDetails {
  std::vector<BuildPhase> phases;             // in order
  std::map<std::string, std::string> report;  // what bin/report printed
};

// Lines "NAME MILLISECONDS", as bin/build leaves them; what else stands there is skipped.
std::vector<BuildPhase> parse_phases(std::string_view text);
// Lines "key: value" of bin/report; what is not that simple is skipped.
std::map<std::string, std::string> parse_report(std::string_view text);
// "start 0.31 s, compile 1.20 s"
std::string describe_phases(const std::vector<BuildPhase>& phases);
// The members `phases` and `report` of a Build's status.
json::Value encode_phases(const std::vector<BuildPhase>& phases);
json::Value encode_report(const std::map<std::string, std::string>& report);

// Adds a phase to the details each time that one ends.
class PhaseClock {
 public:
  PhaseClock(io::Loop& loop, BuildDetails& details) : PhaseClock(loop, details, loop.now()) {}
  PhaseClock(io::Loop& loop, BuildDetails& details, MonotonicTime begin)
      : loop_(loop), details_(details), begin_(begin) {}
  void end(std::string name);
  // The phases that took place inside of the one that ends now; what they leave of it has the name.
  void end(std::string name, std::vector<BuildPhase> parts);

 private:
  io::Loop& loop_;
  BuildDetails& details_;
  MonotonicTime begin_;
};

}  // namespace skiff::platform
